"""Stop a job."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import WrongState
from sideshoot.jobs import control, service
from sideshoot.model import Job, Outcome, State
from support.processes import running

if TYPE_CHECKING:
    from support.jobs import Jobs


def test_cancel_ends_all_processes_and_saves_the_work(jobs: Jobs) -> None:
    job, sleep = jobs.hang("echo x > made")
    job = service.cancel(jobs.repository, job.id)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.CANCELLED)
    assert running(sleep) == []
    assert jobs.content(job, "made") == b"x\n"
    assert not jobs.folder(job).control.exists()


def test_an_agent_that_will_not_go_is_ended(jobs: Jobs) -> None:
    job, sleep = jobs.hang("trap '' INT TERM HUP; echo x > made")
    job = service.cancel(jobs.repository, job.id)
    assert job.outcome is Outcome.CANCELLED
    assert running(sleep) == []
    assert jobs.content(job, "made") == b"x\n"


def test_a_job_that_no_worker_has_yet(jobs: Jobs) -> None:
    job = jobs.create("echo x > made")
    job = service.cancel(jobs.repository, job.id)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.CANCELLED)
    with pytest.raises(WrongState, match="finished"):
        service.work(jobs.repository, job.id)
    assert jobs.get(job) == job


def test_a_worker_that_does_not_answer_is_ended(jobs: Jobs) -> None:
    job, sleep = jobs.hang("echo x > made")
    assert job.worker_pid is not None
    os.kill(job.worker_pid, signal.SIGSTOP)
    job = service.cancel(jobs.repository, job.id, timeout_s=0.3)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.CANCELLED)
    assert "did not answer" in (job.error or "")
    assert running(sleep) == []
    assert jobs.content(job, "made") == b"x\n"


def test_a_worker_that_can_not_be_asked_is_ended(jobs: Jobs) -> None:
    job, sleep = jobs.hang("echo x > made")
    jobs.folder(job).control.unlink()
    job = service.cancel(jobs.repository, job.id, timeout_s=0.3)
    assert job.outcome is Outcome.CANCELLED
    assert running(sleep) == []


def test_what_is_finished_can_not_be_cancelled(jobs: Jobs) -> None:
    job = jobs.run()
    with pytest.raises(WrongState, match="finished already"):
        service.cancel(jobs.repository, job.id)


def test_cancel_and_finish_at_once(jobs: Jobs) -> None:
    for _ in range(4):
        job = jobs.launch("echo x > made")
        try:
            now = service.cancel(jobs.repository, job.id)
        except WrongState:
            now = jobs.get(job)
        assert now.state is State.FINISHED
        assert now.outcome in (Outcome.SUCCEEDED, Outcome.CANCELLED)
        jobs.await_death(job)
        assert jobs.get(job) == now


def test_two_cancels_at_once(jobs: Jobs) -> None:
    job, _ = jobs.hang()
    ended: list[Job | WrongState] = []

    def cancel() -> None:
        try:
            ended.append(service.cancel(jobs.repository, job.id))
        except WrongState as error:
            ended.append(error)

    threads = [threading.Thread(target=cancel) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    now = jobs.get(job)
    assert len(ended) == 2
    assert [each for each in ended if isinstance(each, Job)] == [now] * len(
        [each for each in ended if isinstance(each, Job)]
    )
    assert now.outcome is Outcome.CANCELLED


def test_words_that_the_worker_does_not_know_change_nothing(jobs: Jobs) -> None:
    job, sleep = jobs.hang()
    assert control.ask(jobs.folder(job).control, "dance")
    assert control.ask(jobs.folder(job).control, "\udcff".encode("utf-8", "surrogateescape").hex())
    assert running(sleep)
    assert service.cancel(jobs.repository, job.id).outcome is Outcome.CANCELLED
