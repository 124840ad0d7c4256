"""Locks between processes, which the kernel frees when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING

from sideshoot.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 30.0
"""How long a command waits for another one, unless it says so itself."""

# Those who wait to hold a lock look again and again: a thread that waits in the kernel would take
# the lock for an instant even after its command has given up.
_PAUSE_S = 0.01


@contextlib.contextmanager
def locked(
    path: Path, timeout_s: float = WAIT_S, *, shared: bool = False, busy: str = ""
) -> Iterator[None]:
    """Hold the lock at `path`, a file that is made if need be and that stays.

    :param timeout_s: how long to wait for the present holder, in seconds.
    :param busy: what to say when that was not long enough.
    :raises Busy: somebody else holds it all that time.
    """
    handle = acquire(path, timeout_s, shared=shared)
    if handle is None:
        raise Busy(busy or "another sideshoot command is at work here; try again in a moment")
    try:
        yield
    finally:
        os.close(handle)


def acquire(path: Path, timeout_s: float = 0.0, *, shared: bool = False) -> int | None:
    """Take the lock and return the open file that holds it; `None` if it was not free in time.

    The lock lasts until every copy of that file, here and in processes that inherited it, is closed.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    give_up = time.monotonic() + timeout_s
    try:
        while not _is_taken(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= give_up:
                os.close(handle)
                return None
            time.sleep(_PAUSE_S)
    except BaseException:
        os.close(handle)
        raise
    return handle


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock alone; a file that is not there is held by nobody."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        # Shared, so that two who only look do not take each other for the holder.
        return not _is_taken(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def wait_free(path: Path, timeout_s: float | None = None) -> bool:
    """Wait until nobody holds the lock alone; `False` if that did not come within `timeout_s`.

    `None` waits for ever. The kernel wakes us; nothing is asked again and again.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return True
    if _is_taken(handle, fcntl.LOCK_SH):
        os.close(handle)
        return True
    free = threading.Event()

    def wait() -> None:
        fcntl.flock(handle, fcntl.LOCK_SH)
        os.close(handle)
        free.set()

    # No call of the kernel's waits for a limited time; who gives up leaves the thread behind.
    threading.Thread(target=wait, name="sideshoot-lock", daemon=True).start()
    return free.wait(timeout_s)


def _is_taken(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
