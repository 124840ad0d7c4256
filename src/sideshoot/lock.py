"""Locks that the kernel lets go of when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from sideshoot.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float, what: str) -> Iterator[None]:
    """Hold the lock file at `path`, which is made if it is not there.

    :param timeout_s: how long to wait for another holder, in seconds.
    :param what: what the holder does, for the message.
    :raises Busy: another held it all the while.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, timeout_s, what)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, timeout_s: float, what: str) -> None:
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Busy(f"{what} for over {timeout_s:.0f} seconds; try again later") from None
            time.sleep(0.02)
        else:
            return
