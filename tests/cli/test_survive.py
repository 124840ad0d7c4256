"""A job that is watched from its beginning."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from sideshoot.cli.live import PlainLines
from sideshoot.cli.survive import Watch
from sideshoot.model import Outcome
from support.jobs import Jobs
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.repos import Repo


@pytest.fixture
def jobs(repo: Repo) -> Iterator[Jobs]:
    made = Jobs(repo)
    yield made
    made.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_job_has_begun_lets_it_begin(
    jobs: Jobs, number: signal.Signals
) -> None:
    with Watch(jobs.repository) as watch:
        os.kill(os.getpid(), number)
        await_true(lambda: watch.left is number, "the signal")
        job = jobs.create("echo made > made")
        watch.launch(job)
        watch.follow(PlainLines())
    assert jobs.wait(job).outcome is Outcome.SUCCEEDED


def test_ctrl_c_before_the_job_has_begun_cancels_it(jobs: Jobs) -> None:
    with Watch(jobs.repository) as watch:
        os.kill(os.getpid(), signal.SIGINT)
        await_true(lambda: watch.interrupted, "the signal")
        job = jobs.create("sleep 600")
        watch.launch(job)
        watch.follow(PlainLines())
    assert watch.left is None
    assert jobs.get(job).outcome is Outcome.CANCELLED
