"""Locks between processes, which the kernel frees when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from typing import TYPE_CHECKING

from sideshoot.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 30.0
"""How long a command waits for another one, unless it says so itself."""


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
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        if timeout_s > 0:
            return _Waiter(handle, mode).wait(timeout_s)
        os.close(handle)
        return None
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
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def wait_free(path: Path, timeout_s: float | None = None) -> bool:
    """Wait until nobody holds the lock alone; `False` if that did not come within `timeout_s`.

    `None` waits for ever. The kernel wakes us; nothing is asked again and again.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        taken = _Waiter(handle, fcntl.LOCK_SH).wait(timeout_s)
        if taken is None:
            return False
    os.close(handle)
    return True


class _Waiter:
    """Waits for a lock in a thread of its own, since no call of the kernel's waits for a limited time.

    Whoever gives up leaves the thread behind, which then closes the file as soon as it has the lock.
    """

    def __init__(self, handle: int, mode: int) -> None:
        self._handle = handle
        self._taken = threading.Event()
        self._settled = threading.Lock()
        self._given_up = False
        self._mode = mode

    def wait(self, timeout_s: float | None) -> int | None:
        threading.Thread(target=self._take, name="sideshoot-lock", daemon=True).start()
        try:
            self._taken.wait(timeout_s)
        finally:
            with self._settled:
                self._given_up = not self._taken.is_set()
        return None if self._given_up else self._handle

    def _take(self) -> None:
        fcntl.flock(self._handle, self._mode)
        with self._settled:
            if self._given_up:
                os.close(self._handle)
            else:
                self._taken.set()
