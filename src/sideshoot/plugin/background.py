"""Jobs in the background of a host's session, and who hears of their ends.

The user of the session does, with the next prompt. If it ends before a job does, the job goes on, and
belongs to whoever begins the next session in the repository. Claude Code shows nothing of what is said
when a session ends, so it is then that the user is told which jobs were left at work.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sideshoot.cli.references import is_active
from sideshoot.errors import JobNotFound
from sideshoot.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.jobs.store import Store
    from sideshoot.model import Job

KEY = "sessions.background"
"""The setting that holds their ids, each with the session that hears of it; none of the user's."""
NOBODY = ""
MOST = 50


def began(store: Store, job: Job) -> None:
    """A job goes on in the background of its session."""
    with _changing(store) as heard_by:
        heard_by[job.id] = job.session or NOBODY


def ended(store: Store, session: str) -> list[Job]:
    """The jobs of a session that have ended and were not told of yet; they are told of now."""
    if session not in _read(store).values():
        return []
    with _changing(store) as heard_by:
        jobs = _jobs(store, heard_by, session)
        over = [job for job in jobs if not is_active(job)]
        for job in over:
            del heard_by[job.id]
    return over


def leave(store: Store, session: str) -> list[Job]:
    """A session ends; returns the jobs that it leaves at work. Nothing is done to any job."""
    at_work = store.list(states=(State.QUEUED, State.RUNNING))
    left = [job for job in at_work if job.session == session]
    if left or session in _read(store).values():
        with _changing(store) as heard_by:
            untold = [job.id for job in _jobs(store, heard_by, session)]
            heard_by.update(dict.fromkeys([*untold, *(job.id for job in left)], NOBODY))
    return left


def inherit(store: Store, session: str) -> list[Job]:
    """A session begins: the jobs that others have left, of whose ends it hears from now on."""
    if NOBODY not in _read(store).values():
        return []
    with _changing(store) as heard_by:
        jobs = _jobs(store, heard_by, NOBODY)
        for job in jobs:
            heard_by[job.id] = session
            if not is_active(job):
                del heard_by[job.id]
    return jobs


def line_of(job: Job) -> str:
    """What the user is told of a job."""
    if is_active(job):
        return f"Sideshoot: job {job.id} goes on in the background; /sideshoot:status {job.id}"
    assert job.outcome is not None
    outcome = job.outcome.value.replace("_", " ")
    return f"Sideshoot: job {job.id} has ended ({outcome}); /sideshoot:result {job.id}"


def _jobs(store: Store, heard_by: dict[str, str], session: str) -> list[Job]:
    """The jobs of which a session hears; those that are not there any more are forgotten."""
    found = []
    for job_id in [job_id for job_id, hearer in heard_by.items() if hearer == session]:
        try:
            found.append(store.get(job_id))
        except JobNotFound:
            del heard_by[job_id]
    return found


@contextmanager
def _changing(store: Store) -> Iterator[dict[str, str]]:
    with store.transaction():
        heard_by = _read(store)
        yield heard_by
        store.set_setting(KEY, json.dumps(dict([*heard_by.items()][-MOST:])))


def _read(store: Store) -> dict[str, str]:
    try:
        heard_by = json.loads(store.setting(KEY) or "{}")
        return {str(job_id): str(session) for job_id, session in heard_by.items()}
    except (ValueError, AttributeError):
        return {}  # of another version
