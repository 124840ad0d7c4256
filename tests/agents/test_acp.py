"""Real agents behind the Agent Client Protocol, offline: asked, answered, stopped, and gone on with."""

from __future__ import annotations

import itertools
import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.agents.acp import AcpAgent
from sideshoot.agents.base import EventKind, StopReason
from sideshoot.errors import AgentUnavailable
from support.acp import ARGV, set_up_acp
from support.models import drop, fail, hang, play, say, shell, tool
from support.processes import await_true, long_sleep, of_the_job, running

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.models import ModelServer, Step

    Make = Callable[..., Round]

pytestmark = pytest.mark.timeout(240)

_numbers = itertools.count()

EVERY = [pytest.param(name, marks=pytest.mark.agent(name)) for name in ARGV]


def only(*names: str) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.agent(name)) for name in names]


@pytest.fixture
def make(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Rounds with one agent in one home."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    drivers: dict[str, Any] = {}

    def round_of(name: str) -> Round:
        if name not in drivers:
            drivers[name] = set_up_acp(name, monkeypatch, home, models)
        agent = AcpAgent(name, drivers[name])
        return Round(agent, folder, f"acp{os.getpid()}n{next(_numbers)}")

    return round_of


@pytest.mark.parametrize("name", EVERY)
def test_a_task_is_done_told_and_gone_on_with(name: str, make: Make) -> None:
    first = make(name)
    steps = play(
        shell("echo made > made.txt"),
        shell("echo no >&2; exit 3"),
        say("All done.", reasoning="That should do."),
    )
    result = first.run(f"change some files {steps}")

    assert (result.succeeded, result.error, result.message) == (True, None, "All done.")
    assert (first.folder / "made.txt").read_text() == "made\n"
    assert [data["command"] for data in first.of(EventKind.COMMAND) if "exit_status" in data] == [
        "echo made > made.txt", "echo no >&2; exit 3",
    ]  # fmt: skip
    assert "That should do." in first.texts(EventKind.REASONING)
    assert first.texts(EventKind.MESSAGE) == "All done."
    assert first.of(EventKind.STARTED)[0]["thread_id"] == result.thread_id
    assert first.of(EventKind.RAW) == first.of(EventKind.ERROR) == []
    assert of_the_job(first.job_id) == []

    again = make(name)
    later = again.run(play(say("More.")), thread_id=result.thread_id)
    if name == "gemini":  # says that it can, and can't (0.61)
        assert "this conversation is no longer there" in str(later.error)
    else:
        assert (later.error, later.message) == (None, "More.")
        assert again.texts(EventKind.MESSAGE) == "More."
        assert later.thread_id == result.thread_id


@pytest.mark.parametrize("name", EVERY)
def test_stop_cancels_the_turn_and_leaves_no_process(name: str, make: Make) -> None:
    agent = make(name)
    sleep = long_sleep()
    agent.start(play(shell(f"echo half > half.txt; {sleep}"), say("x")))
    await_true(lambda: running(sleep), "the command")
    agent.stop.request(StopReason.CANCELLED)
    result = agent.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert result.thread_id
    assert running(sleep) == of_the_job(agent.job_id) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_silent_provider_can_be_stopped(name: str, make: Make, models: ModelServer) -> None:
    agent = make(name)
    agent.start(play(hang()))
    await_true(lambda: models.asked, "the request to the model")
    agent.stop.request(StopReason.TIMED_OUT)
    assert agent.finish().error == "stopped: timed_out"
    assert of_the_job(agent.job_id) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_refused_login_is_told(name: str, make: Make) -> None:
    agent = make(name)
    result = agent.run(play(fail(401, "bad key")))
    assert not result.succeeded
    assert result.error
    assert agent.texts(EventKind.ERROR) == result.error
    assert of_the_job(agent.job_id) == []


@pytest.mark.parametrize("name", only("codex-acp"))
@pytest.mark.parametrize("step", [fail(429), fail(500), drop()], ids=["429", "500", "dropped"])
def test_a_failure_of_the_model_is_one_of_the_turn(name: str, step: Step, make: Make) -> None:
    result = make(name).run(play(step))
    assert not result.succeeded
    assert str(result.error).startswith("the model provider ")


@pytest.mark.parametrize("name", only("claude-agent-acp"))
def test_a_file_outside_is_refused_and_a_plan_stays_one(name: str, make: Make, roomy: Path) -> None:
    leak = roomy / "leak"
    agent = make(name)
    result = agent.run(play(tool("Write", file_path=str(leak), content="x"), say("No.")))
    assert "all that claude-agent-acp wanted to do was refused" in str(result.error)
    assert f"refused Write {leak}" in agent.texts(EventKind.WARNING)
    assert not leak.exists()
    planner = make(name)
    result = planner.run(play(tool("ExitPlanMode", plan="dig"), say("Planned.")), mode="plan")
    assert (result.error, result.message) == (None, "Planned.")
    assert "The user has chosen this mode" in planner.texts(EventKind.WARNING)


@pytest.mark.parametrize("name", only("opencode"))
def test_a_file_outside_that_it_does_not_ask_about_is_told(
    name: str, make: Make, roomy: Path
) -> None:
    agent = make(name)
    agent.run(play(tool("write", filePath=str(roomy / "leak"), content="x"), say("x")))
    assert f"has changed {roomy / 'leak'} without asking" in agent.texts(EventKind.WARNING)


@pytest.mark.parametrize("name", only("opencode"))
def test_a_kill_in_the_middle_is_told_at_once(name: str, make: Make) -> None:
    agent = make(name)
    sleep = long_sleep()
    agent.start(play(shell(sleep)))
    await_true(lambda: running(sleep), "the command")
    for process in of_the_job(agent.job_id):
        if "acp" in process.cmdline():
            process.send_signal(signal.SIGKILL)
    result = agent.finish()
    assert "opencode was ended by SIGKILL" in str(result.error)
    assert running(sleep) == of_the_job(agent.job_id) == []


@pytest.mark.parametrize("name", only("claude-agent-acp", "codex-acp", "gemini"))
def test_for_looking_only_nothing_is_written(name: str, make: Make) -> None:
    agent = make(name)
    result = agent.run(play(shell("echo x > made.txt"), say("Looked.")), read_only=True)
    assert result.message == "Looked."
    assert not (agent.folder / "made.txt").exists()


@pytest.mark.parametrize("name", only("codex-acp", "opencode"))
def test_model_and_effort_are_chosen(name: str, make: Make) -> None:
    model = {"codex-acp": "gpt-6-astra", "opencode": "offline/garden/2"}[name]
    assert make(name).run(play(say("x")), model=model, effort="low").succeeded
    for choice in ({"model": "no-such"}, {"effort": "no-such"}, {"mode": "no-such"}):
        agent = make(name)
        with pytest.raises(AgentUnavailable, match="'no-such'; it has "):
            agent.run(play(say("x")), **choice)
        assert of_the_job(agent.job_id) == []


@pytest.mark.parametrize("name", only("opencode"))
def test_a_mode_is_chosen(name: str, make: Make, models: ModelServer) -> None:
    assert make(name).run(play(say("x")), mode="plan").succeeded


@pytest.mark.parametrize("name", EVERY)
def test_it_says_its_version(name: str, make: Make) -> None:
    found = make(name).agent.readiness()
    assert found.installed
    assert found.version
    alive = [it for it in psutil.Process().children(recursive=True) if it.status() != "zombie"]
    assert not [it for it in alive if "acp" in it.cmdline()]
