"""One suite for every agent: the real program, through the real command, offline.

What an agent can't do is said in `support.every` and in docs/agents.md.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.git import discover
from sideshoot.jobs.store import Store
from support.every import EVERY, Every
from support.models import ModelServer, drop, fail, hang, play, say, shell
from support.processes import await_true, long_sleep, of_the_job, running
from support.twins import settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command, Result
    from support.models import Step
    from support.repos import Repo

pytestmark = pytest.mark.timeout(300)

HALF = shell("echo half > half.txt")


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(
    params=[pytest.param(it, id=it.name, marks=pytest.mark.agent(it.name)) for it in EVERY]
)
def agent(
    request: pytest.FixtureRequest,
    repo: Repo,
    models: ModelServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Every:
    every: Every = request.param
    every.set_up(monkeypatch, home, models)
    # Gemini CLI hides the user's own git configuration from what it runs.
    repo.git("config", "user.name", "Gardener")
    repo.git("config", "user.email", "gardener@example.org")
    return every


def run(sideshoot: Command, agent: Every, *steps: Step, options: tuple[str, ...] = ()) -> Result:
    task = "weed; don't --stop at $(this) " + play(*steps)
    return sideshoot("run", "--json", "--agent", agent.name, *options, task)


def assert_ended(job: dict[str, Any], sleep: str = "") -> None:
    assert of_the_job(job["job_id"]) == []
    assert not sleep or running(sleep) == []


def test_a_whole_round_and_another_one(
    agent: Every, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", repo.read("app.py") + b"# mine\n")
    before = repo.fingerprint()
    done = run(
        sideshoot,
        agent,
        *agent.edit,
        shell("echo made > made.txt; printf '\\0\\377' > made.bin; tail -n1 app.py > seen"),
        shell("rm docs/guide.txt; echo said; echo no >&2; exit 3"),
        shell("seq 300000; printf 'not text: \\377\\376\\n'"),
        shell("git add -A && git commit -qm 'fewer beds'; echo later > later.txt"),
        say("There is one bed now."),
    ).ok()
    job = done.json
    assert repo.fingerprint() == before
    assert (job["agent"], job["outcome"], job["message"]) == (
        agent.name, "succeeded", "There is one bed now.",
    )  # fmt: skip
    assert job["usage"]["total_tokens"] > 0
    assert repo.text("log", "-1", "--format=%s", job["branch"]) == "fewer beds"
    assert {file["path"]: file["status"] for file in job["files"]} == {
        "docs/guide.txt": "deleted", "later.txt": "added", "made.bin": "added",
        "made.txt": "added", "seen": "added", "src/beds.py": "modified",
    }  # fmt: skip
    assert "exit 3" in (log := sideshoot("logs", job["job_id"]).ok().out)
    assert "There is one bed now." in log
    assert_ended(job)

    sideshoot("keep").ok()
    assert repo.read("made.bin") == b"\0\xff"
    assert repo.read("seen") == b"# mine\n"
    assert b"'west'" in repo.read("src/beds.py")
    assert not repo.exists("docs/guide.txt")
    sideshoot("undo").ok()
    assert settled(repo.fingerprint()) == settled(before)

    sideshoot("discard").ok()
    resumed = ("--resume", job["job_id"])
    later = run(
        sideshoot, agent, shell("echo wet > wet.txt"), say("Watered."), options=resumed
    ).ok().json  # fmt: skip
    assert (later["message"], later["worktree"] != job["worktree"]) == ("Watered.", True)
    assert [file["path"] for file in later["files"]] == ["wet.txt"]
    assert "There is one bed now." in str(models.asked[-1].body)
    assert_ended(later)


@pytest.mark.parametrize("error", [401, 429, 500, "dropped"])
def test_a_provider_that_fails(agent: Every, error: Any, repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    tries_again = error in agent.tries_again
    options = ("--timeout", "12s") if tries_again else ()
    step = drop() if error == "dropped" else fail(error, "no water")
    done = run(sideshoot, agent, HALF, *[step] * 8, options=options)
    job = done.json
    outcome = ("timed_out", 124) if tries_again else ("failed", 1)
    assert (job["outcome"], done.status) == outcome, job
    assert repo.fingerprint() == before
    assert_ended(job)
    sideshoot("keep").ok()
    assert repo.read("half.txt") == b"half\n"


def test_a_silent_provider(agent: Every, repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    done = run(sideshoot, agent, HALF, hang(), options=("--idle-timeout", "12s"))
    assert (done.status, done.json["outcome"]) == (124, "timed_out")
    assert repo.fingerprint() == before
    assert [file["path"] for file in done.json["files"]] == ["half.txt"]
    assert_ended(done.json)


@pytest.mark.parametrize("how", ["ctrl-c", "timeout", "agent killed"])
def test_an_end_in_the_middle(agent: Every, how: str, repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    sleep = long_sleep()
    task = play(shell(f"echo half > half.txt; {sleep}"), say("x"))
    limit = ("--timeout", "10s") if how == "timeout" else ()
    process = sideshoot.start("run", "--json", "--agent", agent.name, *limit, task)
    await_true(lambda: running(sleep), "the agent's command")
    if how == "ctrl-c":
        process.send_signal(signal.SIGINT)
    elif how == "agent killed":
        kill(process.pid, agent)
    done = sideshoot.finish(process)
    expected = {"ctrl-c": "cancelled", "timeout": "timed_out", "agent killed": "failed"}[how]
    assert done.json["outcome"] == expected, done
    assert repo.fingerprint() == before
    assert [file["path"] for file in done.json["files"]] == ["half.txt"]
    assert_ended(done.json, sleep)


@pytest.mark.parametrize("how", ["cancel", "worker killed"])
def test_an_end_in_the_background(agent: Every, how: str, repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    sleep = long_sleep()
    task = play(shell(f"echo half > half.txt; {sleep}"), say("x"))
    job = sideshoot("run", "-b", "--json", "--agent", agent.name, task).ok().json["job_id"]
    await_true(lambda: running(sleep), "the agent's command")
    if how == "cancel":
        sideshoot("cancel", job).ok()
    else:
        os.kill(worker_of(repo, job), signal.SIGKILL)
    found = sideshoot.json("result", job)
    assert found["outcome"] == ("cancelled" if how == "cancel" else "interrupted")
    assert repo.fingerprint() == before
    assert_ended(found, sleep)
    sideshoot("keep", job).ok()
    assert repo.read("half.txt") == b"half\n"


def worker_of(repo: Repo, job: str) -> int:
    pid = Store.open(discover(repo.top).state_dir).get(job).worker_pid
    assert pid
    return pid


def kill(worker: int, agent: Every) -> None:
    """Kill the agent's own program with SIGKILL, wherever below the worker it is."""
    for process in psutil.Process(worker).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(Path(word).name == agent.program for word in process.cmdline()[:2]):
                process.kill()
