"""Stop a job: its agent, all that the agent started, and in the end its worker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sideshoot.errors import WrongState
from sideshoot.jobs import identity
from sideshoot.jobs.control import CANCEL, ask
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.recover import recover_job
from sideshoot.jobs.store import Store
from sideshoot.lock import wait_free
from sideshoot.model import Job, Outcome, State

if TYPE_CHECKING:
    from sideshoot.git import Repository

_LAST_S = 10.0
"""How long the kernel may take to free the lock of a worker that was killed."""


def cancel(repository: Repository, job_id: str, *, timeout_s: float = 60.0) -> Job:
    """Stop a job and return it once that is so: nothing of it runs, and its work is saved.

    The worker is asked first. It has the agent interrupted, then ended; where it does not manage
    that within `timeout_s` seconds it is killed, and we do it. The job's outcome says how it ended:
    one that was done at that moment has succeeded.

    :raises WrongState: it is finished already.
    """
    store = Store.open(repository.state_dir)
    job = store.get(job_id)
    if job.state is State.FINISHED:
        raise WrongState(f"job {job.id} is finished already ({job.outcome})")
    if job.state is State.QUEUED and _taken_back(store, job):
        return store.get(job.id)
    folder = JobFolder(repository.state_dir, job.id)
    error = "stopped by `sideshoot cancel`"
    if not ask(folder.control, CANCEL) or not wait_free(folder.lock, timeout_s):
        error = "cancelled; its worker did not answer and was ended"
        _kill_worker(store, folder)
    recover_job(repository, store, job.id, outcome=Outcome.CANCELLED, error=error)
    return store.get(job.id)


def _taken_back(store: Store, job: Job) -> bool:
    """Cancel a job before any worker has taken it; whether that was in time."""
    try:
        store.update(
            job.id,
            expect=State.QUEUED,
            state=State.FINISHED,
            outcome=Outcome.CANCELLED,
            finished_at=time.time(),
            error="cancelled before it began",
        )
    except WrongState:
        return False
    return True


def _kill_worker(store: Store, folder: JobFolder) -> None:
    job = store.get(folder.id)
    if job.state is State.RUNNING:
        identity.kill(job.worker_pid, job.worker_started, job.boot_id)
        wait_free(folder.lock, _LAST_S)
