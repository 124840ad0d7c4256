"""One question to an agent: nothing is recorded, nothing stays, and it has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.base import AgentResult, EventKind, Stop, StopReason
from sideshoot.errors import AgentUnavailable
from sideshoot.review.ephemeral import ask_once
from support.codex import set_up_codex
from support.models import ModelServer, play, say, shell

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.base import Event, Task
    from sideshoot.git import Repository
    from support.jobs import Gardener
    from support.repos import Repo


def test_it_may_only_look_and_leaves_nothing(repository: Repository, gardener: Gardener) -> None:
    gardener.turn = lambda *_: AgentResult(True, message="ALLOW")
    schema = {"type": "object"}
    result = ask_once(
        repository, "may I?", agent="gardener", timeout_s=60, model="m", effort="e", schema=schema
    )
    (task,) = gardener.tasks
    assert result.message == "ALLOW"
    assert task.read_only
    assert task.ephemeral
    assert (task.prompt, task.model, task.effort, task.output_schema) == (
        "may I?",
        "m",
        "e",
        schema,
    )
    assert task.environment["GIT_OPTIONAL_LOCKS"] == "0"
    assert not repository.state_dir.exists()


def test_it_ends_in_time(repository: Repository, gardener: Gardener) -> None:
    def turn(task: Task, emit: object, stop: Stop) -> AgentResult:
        assert stop.wait(60)
        return AgentResult(False, error="stopped: timed_out")

    gardener.turn = turn
    result = ask_once(repository, "x", agent="gardener", timeout_s=0.05)
    assert (result.succeeded, result.error) == (
        False,
        "gardener did not answer within 0.05 seconds",
    )


def test_it_can_be_stopped(repository: Repository, gardener: Gardener) -> None:
    stop = Stop()

    def turn(task: Task, emit: object, asked: Stop) -> AgentResult:
        stop.request(StopReason.CANCELLED)
        assert asked.wait(60)
        return AgentResult(False, error="stopped: cancelled")

    gardener.turn = turn
    result = ask_once(repository, "x", agent="gardener", timeout_s=60, stop=stop)
    assert result.error == "stopped: cancelled"


def test_an_agent_that_nobody_knows(repository: Repository) -> None:
    with pytest.raises(AgentUnavailable, match="no agent 'nobody'"):
        ask_once(repository, "x", agent="nobody", timeout_s=60)


@pytest.mark.agent("codex")
def test_the_real_codex_leaves_the_tree_and_no_thread(
    repo: Repo, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    before = repo.fingerprint()
    with ModelServer() as models:
        home = set_up_codex(monkeypatch, tmp_path / "codex", models)
        prompt = play(shell("git status; echo x > made"), say("ALLOW: fine"))
        result = ask_once(repository, prompt, agent="codex", timeout_s=60, emit=events.append)
    assert (result.message, result.thread_id) == ("ALLOW: fine", None)
    assert EventKind.STARTED in [event.kind for event in events]
    assert "On branch main" in models.asked[-1].text
    assert list(home.rglob("rollout-*")) == []
    assert repo.fingerprint() == before
    assert not repository.state_dir.exists()
