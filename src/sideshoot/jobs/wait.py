"""Wait for jobs to finish: the kernel wakes us when a worker lets go of its job's lock."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.recover import recover_job
from sideshoot.jobs.store import Store
from sideshoot.lock import wait_free
from sideshoot.model import Job, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.git import Repository


def wait(
    repository: Repository,
    job_ids: Sequence[str],
    *,
    any: bool = False,  # noqa: A002 - what the command line calls it
    timeout_s: float | None = None,
) -> list[Job]:
    """Wait until the jobs are finished, and return them as they are then.

    A job whose worker dies meanwhile is recovered, and finished by that.

    :param any: return as soon as one is finished.
    :param timeout_s: wait no longer than this; jobs that are not finished by then are returned as
        they are.
    """
    store = Store.open(repository.state_dir)
    jobs = [store.get(job_id) for job_id in dict.fromkeys(job_ids)]
    ahead: set[str] = {job.id for job in jobs if job.state is not State.FINISHED}
    enough = len(jobs) - 1 if any else 0
    free: queue.SimpleQueue[str] = queue.SimpleQueue()
    for job_id in ahead if len(ahead) > enough else ():
        threading.Thread(
            target=_tell_when_free, args=(repository, job_id, free), daemon=True
        ).start()
    end = None if timeout_s is None else time.monotonic() + timeout_s
    while len(ahead) > enough:
        try:
            job_id = free.get(timeout=None if end is None else max(end - time.monotonic(), 0))
        except queue.Empty:
            break
        if store.get(job_id).state is not State.FINISHED:
            recover_job(repository, store, job_id)
        ahead.discard(job_id)
    return [store.get(job.id) for job in jobs]


def _tell_when_free(repository: Repository, job_id: str, free: queue.SimpleQueue[str]) -> None:
    wait_free(JobFolder(repository.state_dir, job_id).lock)
    free.put(job_id)
