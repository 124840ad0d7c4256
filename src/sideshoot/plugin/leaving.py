"""Jobs that a session of the host leaves at work when it ends, and who hears of them.

Claude Code shows nothing of what a hook says when a session ends. So the jobs are noted, and whoever
begins the next session in the repository is told of each, once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sideshoot.cli.references import is_active
from sideshoot.errors import JobNotFound
from sideshoot.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sideshoot.jobs.store import Store
    from sideshoot.model import Job

KEY = "sessions.left"
"""The setting that holds their ids; none of the user's."""
MOST = 20


def leave(store: Store, session: str) -> list[Job]:
    """Note the jobs that a session leaves at work, and return them. Nothing is done to any job."""
    at_work = store.list(states=(State.QUEUED, State.RUNNING))
    left = [job for job in at_work if job.session == session]
    if left:
        with store.transaction():
            ids = dict.fromkeys([*_noted(store), *(job.id for job in left)])
            store.set_setting(KEY, json.dumps([*ids][-MOST:]))
    return left


def left_behind(store: Store) -> list[Job]:
    """The jobs that were noted, as they are now; they are not noted any more."""
    if not _noted(store):
        return []
    with store.transaction():
        ids = _noted(store)
        store.set_setting(KEY, "[]")
    return [*_found(store, ids)]


def told(jobs: Sequence[Job]) -> str:
    """A line for each job, for whoever begins a session."""
    return "\n".join(map(_line, jobs))


def _line(job: Job) -> str:
    if is_active(job):
        return f"Sideshoot: job {job.id} goes on in the background; /sideshoot:status {job.id}"
    assert job.outcome is not None
    ended = job.outcome.value.replace("_", " ")
    return f"Sideshoot: job {job.id} has ended ({ended}); /sideshoot:result {job.id}"


def _found(store: Store, ids: Sequence[str]) -> Iterator[Job]:
    for job_id in ids:
        try:
            yield store.get(job_id)
        except JobNotFound:
            continue  # it was removed since


def _noted(store: Store) -> list[str]:
    try:
        ids = json.loads(store.setting(KEY) or "[]")
    except ValueError:
        return []
    return [job_id for job_id in ids if isinstance(job_id, str)] if isinstance(ids, list) else []
