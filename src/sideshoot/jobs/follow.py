"""The events of a job as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.jobs import events
from sideshoot.jobs.folder import JobFolder
from sideshoot.lock import is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sideshoot.git import Repository
    from sideshoot.jobs.events import Logged


def _never() -> bool:
    return False


def follow(
    repository: Repository, job_id: str, offset: int = 0, *, until: Callable[[], bool] = _never
) -> Iterator[Logged]:
    """The events from `offset` on, until the job has finished or its worker is gone.

    :param until: asked again and again; once it is true, nobody wants more.
    """
    folder = JobFolder(repository.state_dir, job_id)
    return events.follow(folder.events, offset, stop=lambda: until() or not is_held(folder.lock))
