"""Who works on a job: the holder of its lock, from before the job is recorded until the end.

Whoever records a job holds the lock already, and hands it over to the worker: within the process,
or as an open file that a detached worker inherits. So there is no moment at which a job that is
queued or running has a free lock and yet somebody who will see to it; a free lock means that the
worker is gone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sideshoot.errors import WrongState
from sideshoot.lock import acquire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.jobs.folder import JobFolder

# Others who only look take the lock for an instant.
_PATIENCE_S = 2.0

_held: dict[Path, int] = {}


def claim(folder: JobFolder) -> None:
    """Take the lock of a new job, to be handed over later."""
    handle = acquire(folder.lock)
    assert handle is not None, "the folder was made a moment ago"
    _held[folder.lock] = handle


def inherit(folder: JobFolder, handle: int) -> None:
    """Take over the lock from the process that started this one."""
    # What we start must not have it: then the lock would outlive us.
    os.set_inheritable(handle, False)
    _held[folder.lock] = handle


def release(folder: JobFolder) -> None:
    """Let go of a job that will not be worked on."""
    handle = _held.pop(folder.lock, None)
    if handle is not None:
        os.close(handle)


@contextlib.contextmanager
def holding(folder: JobFolder) -> Iterator[int]:
    """Hold the lock of a job, whether it was claimed in this process or not; then let go of it.

    :raises WrongState: another worker has the job.
    """
    handle = _held.pop(folder.lock, None)
    if handle is None:
        handle = acquire(folder.lock, _PATIENCE_S) if folder.top.is_dir() else None
    if handle is None:
        raise WrongState(f"job {folder.id} has a worker already")
    try:
        yield handle
    finally:
        os.close(handle)
