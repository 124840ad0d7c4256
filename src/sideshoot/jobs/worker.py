"""The detached worker: `python -m sideshoot.jobs.worker TOP JOB LOCK`.

`LOCK` is the number of the open file that holds the job's lock. What is printed goes to the job's
`worker.log`.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import SideshootError
from sideshoot.git import discover
from sideshoot.jobs.claims import inherit
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.notify import notify
from sideshoot.jobs.store import Store
from sideshoot.jobs.work import work
from sideshoot.model import State

if TYPE_CHECKING:
    from sideshoot.git import Repository


def main(top: str, job_id: str, lock: str) -> int:
    """Do the job, and tell the user when it is done."""
    try:
        repository = discover(Path(top))
        inherit(JobFolder(repository.state_dir, job_id), int(lock))
        status = _work(repository, job_id)
        store = Store.open(repository.state_dir)
        job = store.get(job_id)
    except SideshootError as error:
        print(error, file=sys.stderr)
        return 1
    if job.state is State.FINISHED:
        from sideshoot.jobs.gc import look_after  # noqa: PLC0415 - a job begins sooner without

        notify(repository, store, job)
        with contextlib.suppress(SideshootError, OSError):
            look_after(repository, store, job.id)
    return status


def _work(repository: Repository, job_id: str) -> int:
    try:
        work(repository, job_id)
    except SideshootError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
