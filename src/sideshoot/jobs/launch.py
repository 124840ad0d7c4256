"""Start a detached worker for a job."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.jobs.claims import holding
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.notify import TERMINAL_VARIABLE, terminal_name
from sideshoot.jobs.store import Store
from sideshoot.model import Outcome, State

if TYPE_CHECKING:
    from sideshoot.git import Repository


def launch(repository: Repository, job_id: str) -> int:
    """Start a worker in a session of its own, and return its pid at once.

    It inherits the job's lock as an open file, so that the lock is held without a gap; it survives
    us, our terminal and our session.

    :raises WrongState: the job has a worker already.
    :raises CannotStart: no process can be started; the job is finished and says so.
    """
    folder = JobFolder(repository.state_dir, job_id)
    with holding(folder) as lock, folder.worker_log.open("ab") as log:
        command = [sys.executable, "-P", "-m", "sideshoot.jobs.worker"]
        try:
            process = subprocess.Popen(
                [*command, str(repository.top), job_id, str(lock)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
                pass_fds=[lock],
            )
        except OSError as error:
            _give_up(repository, job_id, f"no worker can be started: {error.strerror}")
            raise CannotStart(
                f"job {job_id}: no worker can be started: {error.strerror}"
            ) from error
    # For callers that live long: without it the worker would be a zombie after its end.
    threading.Thread(target=process.wait, name="sideshoot-reaper", daemon=True).start()
    return process.pid


def _environment() -> dict[str, str]:
    terminal = terminal_name()
    return {**os.environ, TERMINAL_VARIABLE: terminal} if terminal else dict(os.environ)


def _give_up(repository: Repository, job_id: str, error: str) -> None:
    Store.open(repository.state_dir).update(
        job_id,
        expect=State.QUEUED,
        state=State.FINISHED,
        outcome=Outcome.FAILED,
        finished_at=time.time(),
        error=error,
    )
