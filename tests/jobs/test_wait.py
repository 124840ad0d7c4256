"""Wait for jobs."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import JobNotFound
from sideshoot.jobs import service
from sideshoot.model import Outcome, State

if TYPE_CHECKING:
    from support.jobs import Jobs


def test_nothing_to_wait_for(jobs: Jobs) -> None:
    assert service.wait(jobs.repository, []) == []
    job = jobs.run()
    assert service.wait(jobs.repository, [job.id, job.id]) == [job]
    assert service.wait(jobs.repository, [job.id], any=True) == [job]
    with pytest.raises(JobNotFound):
        service.wait(jobs.repository, ["k3aaaa"])


def test_all_of_several(jobs: Jobs) -> None:
    started = [jobs.launch(f"sleep 0.{number}; exit {number}") for number in range(3)]
    done = service.wait(jobs.repository, [job.id for job in started], timeout_s=60)
    assert [job.exit_code for job in done] == [0, 1, 2]


def test_the_first_of_several(jobs: Jobs) -> None:
    slow, _ = jobs.hang()
    quick = jobs.launch("exit 5")
    done = service.wait(jobs.repository, [slow.id, quick.id], any=True, timeout_s=60)
    assert [job.state for job in done] == [State.RUNNING, State.FINISHED]
    assert done[1].exit_code == 5


def test_no_longer_than_was_said(jobs: Jobs) -> None:
    job, _ = jobs.hang()
    (now,) = service.wait(jobs.repository, [job.id], timeout_s=0.1)
    assert now.state is State.RUNNING


def test_a_worker_that_dies_while_it_is_waited_for(jobs: Jobs) -> None:
    job, _ = jobs.hang("echo x > made")
    assert job.worker_pid is not None
    os.kill(job.worker_pid, signal.SIGKILL)
    (now,) = service.wait(jobs.repository, [job.id], timeout_s=60)
    assert now.outcome is Outcome.INTERRUPTED
    assert jobs.content(now, "made") == b"x\n"


def test_follow_ends_when_the_worker_is_gone(jobs: Jobs) -> None:
    job, _ = jobs.hang("echo said")
    followed = service.follow(jobs.repository, job.id)
    assert "output" in [next(followed).kind for _ in range(2)]
    assert job.worker_pid is not None
    os.kill(job.worker_pid, signal.SIGKILL)
    assert "finished" not in [event.kind for event in followed]
