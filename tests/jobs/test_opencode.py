"""Jobs of the real OpenCode that are killed and gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from support.models import ModelServer, play, say, shell
from support.opencode import set_up_opencode
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.jobs import Jobs

pytestmark = [pytest.mark.agent("opencode"), pytest.mark.timeout(200)]


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def opencode(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_opencode(monkeypatch, models, tmp_path / "opencode")


def test_a_worker_that_is_killed_leaves_no_server_and_its_session_goes_on(
    jobs: Jobs, sideshoot: Command
) -> None:
    sleep = long_sleep()
    task = play(shell(f"echo half > half.txt; {sleep}"), say("Done."))
    job_id = sideshoot("run", "--json", "-b", "--agent", "opencode", task).ok().json["job_id"]
    await_true(lambda: running(sleep), "the agent's turn")
    worker = psutil.Process(jobs.get(job_id).worker_pid)
    (server,) = [" ".join(it.cmdline()) for it in worker.children() if "serve" in it.cmdline()]
    assert running(server)
    worker.kill()
    jobs.await_death(jobs.get(job_id))

    found = sideshoot.json("result", job_id)

    assert found["outcome"] == "interrupted"
    assert running(sleep) == []
    assert running(server) == []
    assert jobs.content(jobs.get(job_id), "half.txt") == b"half\n"

    more = "go on " + play(shell("cat half.txt > rest.txt"), say("All done."))
    later = sideshoot("run", "--json", "--agent", "opencode", "--resume-job", job_id, more)
    assert later.ok().json["message"] == "All done."
    assert jobs.content(jobs.get(later.json["job_id"]), "rest.txt") == b"half\n"
