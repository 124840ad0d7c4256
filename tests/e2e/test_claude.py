"""The real Claude Code, through the real command, against a model server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.claude import set_up_claude
from support.models import ModelServer, fail, play, say, shell, tool
from support.twins import settled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("claude")


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def claude(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_claude(monkeypatch, tmp_path / "claude", models)


def test_a_whole_round_and_another_in_a_new_workspace(
    repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", repo.read("app.py") + b"# mine\n")
    before = repo.fingerprint()
    task = "add a bed; don't --stop at $(this) " + play(
        shell("echo made > made.txt; printf '\\0\\377' > made.bin; tail -n1 app.py > seen"),
        tool("Write", file_path=str(repo.top / "leak"), content="x"),
        shell("git add -A && git commit -qm 'a bed more'"),
        say("There is one more."),
    )
    job = sideshoot("run", "--json", "--agent", "claude", task).ok().json
    assert repo.fingerprint() == before
    assert (job["agent"], job["outcome"], job["message"]) == (
        "claude", "succeeded", "There is one more.",
    )  # fmt: skip
    assert job["usage"]["cost_usd"] > 0
    assert repo.text("log", "-1", "--format=%s", job["branch"]) == "a bed more"
    sideshoot("keep").ok()
    assert repo.read("made.bin") == b"\0\xff"
    assert repo.read("seen") == b"# mine\n"
    sideshoot("undo").ok()
    assert settled(repo.fingerprint()) == settled(before)

    sideshoot("discard").ok()
    again = "water it " + play(shell("echo wet > wet"), say("Watered."))
    later = sideshoot("run", "--json", "--agent", "claude", "--resume", job["job_id"], again)
    assert later.ok().json["message"] == "Watered."
    assert later.json["thread_id"] == job["thread_id"]
    assert "add a bed" in models.asked[-1].text


def test_work_of_a_turn_that_failed_is_captured(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    task = "edit " + play(shell("echo half > half.txt"), fail(429, "slow down"))
    done = sideshoot("run", "--json", "--agent", "claude", task)
    assert (done.status, done.json["outcome"]) == (1, "failed")
    assert [file["path"] for file in done.json["files"]] == ["half.txt"]
    assert repo.fingerprint() == before
    sideshoot("keep").ok()
    assert repo.read("half.txt") == b"half\n"
