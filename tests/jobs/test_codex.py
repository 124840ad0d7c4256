"""Jobs of the real Codex that are killed, stopped, recovered and gone on with."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from support.codex import set_up_codex
from support.models import ModelServer, play, say, shell
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.jobs import Jobs
    from support.repos import Repo

pytestmark = pytest.mark.agent("codex")


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_codex(monkeypatch, tmp_path / "codex", models)


def half_done() -> tuple[str, str]:
    """A task that hangs in the middle of its turn, and the words of the process that hangs."""
    sleep = long_sleep()
    return play(shell(f"echo half > half.txt; {sleep}"), say("Done.")), sleep


def is_server(process: psutil.Process) -> bool:
    try:
        return "app-server" in process.cmdline()
    except psutil.Error:  # an orphan that has ended
        return False


@pytest.mark.parametrize("victims", ["worker", "agent", "both"])
def test_kill_in_the_middle_of_a_turn(jobs: Jobs, sideshoot: Command, victims: str) -> None:
    task, sleep = half_done()
    job_id = sideshoot("run", "--json", "-b", "--agent", "codex", task).ok().json["job_id"]
    await_true(lambda: running(sleep), "the agent's turn")
    worker = psutil.Process(jobs.get(job_id).worker_pid)
    agents = [child for child in worker.children() if is_server(child)]
    assert agents
    for victim in {"worker": [worker], "agent": agents, "both": [worker, *agents]}[victims]:
        victim.kill()
    if victims == "agent":
        sideshoot("wait", job_id)
    else:
        jobs.await_death(jobs.get(job_id))
    found = sideshoot.json("result", job_id)
    assert found["state"] == "finished"
    assert found["outcome"] == ("failed" if victims == "agent" else "interrupted")
    assert running(sleep) == []
    assert jobs.content(jobs.get(job_id), "half.txt") == b"half\n"
    assert jobs.get(job_id).thread_id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_a_foreground_run(
    jobs: Jobs, sideshoot: Command, number: signal.Signals
) -> None:
    task, sleep = half_done()
    process = sideshoot.start("run", "--json", "--agent", "codex", task)
    await_true(lambda: running(sleep), "the agent's turn")
    os.killpg(process.pid, number)
    done = sideshoot.finish(process)
    assert done.status == 130, done
    assert done.json["outcome"] == "cancelled"
    assert running(sleep) == []
    (job,) = jobs.store.list()
    assert jobs.content(job, "half.txt") == b"half\n"


def test_a_thread_goes_on_after_its_worker_was_killed(
    repo: Repo, jobs: Jobs, sideshoot: Command, models: ModelServer
) -> None:
    task, sleep = half_done()
    first = sideshoot("run", "--json", "-b", "--agent", "codex", task).ok().json["job_id"]
    await_true(lambda: running(sleep), "the agent's turn")
    worker = jobs.get(first).worker_pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    task = "go on " + play(shell("cat half.txt > rest.txt; pwd > where.log"), say("All done."))
    argv = ("run", "--json", "--agent", "codex", "--resume-job", first, task)
    second = sideshoot(*argv).ok().json
    assert second["thread_id"] == jobs.get(first).thread_id
    assert second["worktree"].endswith(first)
    sideshoot("keep", second["job_id"]).ok()
    assert repo.read("half.txt") == repo.read("rest.txt") == b"half\n"
    # It is kept now, so that the thread goes on in a new workspace.
    task = "once more " + play(shell("pwd > where.txt"), say("There."))
    third = sideshoot("run", "--json", "--agent", "codex", "--resume-last", task).ok().json
    assert third["thread_id"] == second["thread_id"]
    assert third["worktree"].endswith(third["job_id"])
    assert jobs.content(jobs.get(third["job_id"]), "where.txt") == f"{third['worktree']}\n".encode()
