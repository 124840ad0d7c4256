"""The pipe by which other processes make requests of a job's worker."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CANCEL = "cancel"


class Control:
    """The worker's end: calls back for each request that it knows, in a thread of its own."""

    def __init__(self, path: Path, handlers: Mapping[str, Callable[[], None]]) -> None:
        self._path = path
        self._handlers = handlers
        self._handle: int | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="sideshoot-control", daemon=True)

    def __enter__(self) -> Self:
        # Where the file system has no pipes, who cancels ends the worker instead.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            os.mkfifo(self._path, 0o600)
            # For writing as well: so opening does not wait for a writer, and reading never ends.
            self._handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        if self._handle is None:
            return
        self._closing = True
        os.write(self._handle, b"\n")
        self._thread.join()
        os.close(self._handle)

    def _listen(self) -> None:
        assert self._handle is not None
        with os.fdopen(self._handle, "rb", closefd=False) as file:
            for line in file:
                if self._closing:
                    return
                handler = self._handlers.get(line.decode(errors="replace").strip())
                if handler is not None:
                    handler()


def ask(path: Path, word: str) -> bool:
    """Make a request of a worker; whether there is one that listens."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(handle, word.encode() + b"\n")
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
