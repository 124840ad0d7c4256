"""Messages in lines over standard input and output, which nobody else gets to use."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 64 * 1024**2
"""Bytes; a line that is longer is no message. A task may well have some hundred kilobytes."""


_LAST_WORDS_S = 2.0


class Unreadable(Exception):
    """A line that holds no JSON; its text says why."""


class Wire:
    """The client at the other end of two open files."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        # Written by a thread of its own: a client that does not read must not keep us from hearing it.
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="wire", daemon=True)
        self._writer.start()

    def lines(self) -> Iterator[bytes]:
        """What the client says, line by line, to its end; of one that is too long, its beginning."""
        while line := self._source.readline(LONGEST_LINE + 1):
            whole = line
            while len(whole) > LONGEST_LINE and not whole.endswith(b"\n"):
                if not (whole := self._source.readline(LONGEST_LINE + 1)):
                    break
            if line.strip():
                yield line

    def send(self, message: Any) -> None:
        """Say something; any thread may. A client that no longer listens misses it."""
        self._outgoing.put(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Say what is still to be said, if the client listens, and no more."""
        self._outgoing.put(None)
        self._writer.join(_LAST_WORDS_S)

    def _write(self) -> None:
        with suppress(OSError, ValueError):
            while (line := self._outgoing.get()) is not None:
                self._target.write(line)
                self._target.flush()


def decoded(line: bytes) -> Any:
    """What a line holds.

    :raises Unreadable: it is no JSON, or more of it than can be.
    """
    if len(line) > LONGEST_LINE:
        raise Unreadable(f"a message has more than {LONGEST_LINE} bytes")
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        raise Unreadable("a message is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"a message is no JSON: {error}") from None


def taken_over() -> Wire:
    """Standard input and output as a wire; whatever else prints or reads meets neither.

    What is printed goes to standard error from now on, in this process and in all that it starts.
    """
    source, target = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return Wire(os.fdopen(source, "rb"), os.fdopen(target, "wb"))
