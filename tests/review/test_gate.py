"""The gate: what it looks at, what it decides, and that no fault of its own holds a turn up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import AgentResult, Stop
from sideshoot.errors import SideshootError
from sideshoot.jobs.store import Store
from sideshoot.review.gate import ALLOWED, Gate, Stopped
from sideshoot.review.gate_settings import GateSettings, Reviewer

if TYPE_CHECKING:
    from sideshoot.agents.base import Task
    from sideshoot.git import Repository
    from support.jobs import Gardener
    from support.repos import Repo

STOPPED = Stopped("s", "I am done.")


def ruling(verdict: str, reason: str = "") -> str:
    return json.dumps({"verdict": verdict, "reason": reason})


class Garden:
    """A gate, and a reviewer that says what it is told to say."""

    def __init__(self, repository: Repository, gardener: Gardener) -> None:
        self.repository = repository
        self.gardener = gardener
        self.store = Store.open(repository.state_dir)
        self.says("ALLOW")

    def says(self, verdict: str, reason: str = "") -> None:
        self.gardener.turn = lambda *_: AgentResult(True, message=ruling(verdict, reason))

    def gate(self, session: str = "s", **settings: Any) -> Gate:
        agent = settings.pop("agent", "gardener")
        set_up = replace(GateSettings(enabled=True), **settings)
        return Gate(self.repository, self.store, set_up, session, reviewer=lambda: Reviewer(agent))

    @property
    def asked(self) -> list[Task]:
        return self.gardener.tasks


@pytest.fixture
def garden(repository: Repository, gardener: Gardener) -> Garden:
    return Garden(repository, gardener)


def test_a_turn_that_edited_nothing_ends_without_an_agent(repo: Repo, garden: Garden) -> None:
    repo.write("app.py", "the user's own\n")
    garden.gate().prompted()
    assert garden.gate().stopped(STOPPED) == ALLOWED
    assert garden.asked == []


def test_only_what_was_edited_in_the_turn_is_looked_at(repo: Repo, garden: Garden) -> None:
    repo.write("mine.py", "the user's own\n")
    garden.gate().prompted()
    repo.write("made.py", "the agent's\n")
    before = repo.fingerprint()
    assert garden.gate().stopped(STOPPED) == ALLOWED
    (task,) = garden.asked
    assert "the agent's" in task.prompt
    assert "mine.py" not in task.prompt
    assert "I am done." in task.prompt
    assert task.read_only
    assert task.ephemeral
    assert repo.fingerprint() == before
    assert garden.store.list() == []


def test_a_block_has_its_reason(repo: Repo, garden: Garden) -> None:
    garden.says("BLOCK", "app.py:1 leaks")
    garden.gate().prompted()
    repo.write("app.py", "edited\n")
    decision = garden.gate().stopped(STOPPED)
    assert decision.blocks
    written = decision.as_host_wants_it()
    assert written["decision"] == "block"
    assert "app.py:1 leaks" in written["reason"]
    assert "gardener" in written["reason"]


def test_a_turn_is_not_held_up_twice(repo: Repo, garden: Garden) -> None:
    garden.says("BLOCK")
    repo.write("app.py", "edited\n")
    assert garden.gate().stopped(STOPPED).blocks
    assert garden.gate().stopped(Stopped("s", is_again=True)) == ALLOWED
    assert len(garden.asked) == 1
    assert garden.gate().stopped(STOPPED) == ALLOWED  # nothing new
    assert len(garden.asked) == 1


def test_without_a_begin_it_is_what_is_not_committed(repo: Repo, garden: Garden) -> None:
    assert garden.gate().stopped(STOPPED) == ALLOWED
    assert garden.asked == []
    repo.write("app.py", "edited\n")
    assert garden.gate("other").stopped(STOPPED) == ALLOWED
    assert len(garden.asked) == 1


def test_commits_of_the_turn_are_edits_too(repo: Repo, garden: Garden) -> None:
    garden.gate().session_started()
    repo.write("app.py", "committed\n")
    repo.commit("by the agent")
    garden.gate().stopped(STOPPED)
    assert "+committed" in garden.asked[0].prompt


def test_a_begin_that_was_pruned_is_no_fault(repo: Repo, garden: Garden) -> None:
    from sideshoot.review.gate_sessions import Sessions, session_key

    key = session_key("s", str(garden.repository.top))
    Sessions(garden.store).prompt(key, "1" * 40)
    repo.write("app.py", "edited\n")
    assert garden.gate().stopped(STOPPED) == ALLOWED
    assert len(garden.asked) == 1


def test_a_turn_that_is_not_reviewed_is_due_later(repo: Repo, garden: Garden) -> None:
    garden.gate().prompted()
    repo.write("app.py", "edited\n")
    decision = garden.gate(max_per_session=0).stopped(STOPPED)
    assert not decision.blocks
    assert "did not look at this turn" in decision.text
    garden.gate().prompted()
    assert garden.gate().stopped(STOPPED) == ALLOWED
    assert "+edited" in garden.asked[0].prompt


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (AgentResult(False, error="not logged in"), "not logged in"),
        (AgentResult(True, message="What a day."), "neither ALLOW nor BLOCK"),
        (AgentResult(True), "neither ALLOW nor BLOCK"),
    ],
)
def test_a_fault_is_told_and_does_not_count(
    repo: Repo, garden: Garden, result: AgentResult, why: str
) -> None:
    repo.write("app.py", "edited\n")
    garden.gardener.turn = lambda *_: result
    for _ in range(2):
        with pytest.raises(SideshootError, match=why):
            garden.gate(max_per_session=1).stopped(STOPPED)
    garden.says("BLOCK")
    assert garden.gate(max_per_session=1).stopped(STOPPED).blocks


def test_a_review_that_takes_too_long_is_given_up(repo: Repo, garden: Garden) -> None:
    def turn(task: Task, emit: object, stop: Stop) -> AgentResult:
        assert stop.wait(60)
        return AgentResult(False, error="stopped")

    repo.write("app.py", "edited\n")
    garden.gardener.turn = turn
    with pytest.raises(SideshootError, match="did not answer within"):
        garden.gate(timeout_s=0.05).stopped(STOPPED)


def test_an_agent_that_can_not_review(repo: Repo, garden: Garden) -> None:
    repo.write("app.py", "edited\n")
    with pytest.raises(SideshootError, match="can't review"):
        garden.gate(agent="command").stopped(STOPPED)
