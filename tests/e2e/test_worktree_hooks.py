"""The real Claude Code with our hooks for worktrees: what it does in one is a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.claude import set_up_claude
from support.hosts import run_host
from support.models import ModelServer, play, say, shell, tool
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("claude")


@pytest.fixture(autouse=True)
def claude(
    sideshoot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelServer]:
    """Claude Code with the hooks installed."""
    with ModelServer() as models:
        set_up_claude(monkeypatch, tmp_path / "claude", models)
        sideshoot("setup", "--install", "claude-worktrees", "--yes").ok()
        yield models


def run_claude(repo: Repo, *words: str) -> str:
    return run_host(repo.top, "claude", *words, "--allowedTools", "Bash,EnterWorktree,ExitWorktree")


def test_a_session_in_a_worktree_is_a_job_until_it_ends(repo: Repo, sideshoot: Command) -> None:
    repo.write("app.py", "mine\n")
    before = repo.fingerprint()

    run_claude(repo, "--worktree", "beds", "-p", play(shell("cat app.py > seen"), say("done")))

    assert repo.fingerprint() == before
    await_true(
        lambda: sideshoot.json("status")["jobs"][0]["state"] == "finished", "the job has ended"
    )
    (job,) = sideshoot.json("status")["jobs"]
    assert (job["title"], job["decision"]) == ("worktree beds", "open")
    sideshoot("keep").ok()
    assert repo.read("seen") == b"mine\n"
    assert not repo.exists(".claude")


def test_what_claude_removes_is_saved(repo: Repo, sideshoot: Command) -> None:
    enter = tool("EnterWorktree", name="beds")
    leave = tool("ExitWorktree", action="remove", discard_changes=True)
    steps = [enter, shell("echo new > new.txt"), leave, shell("pwd > back"), say("done")]

    run_claude(repo, "-p", play(*steps))

    assert repo.read("back").strip() == str(repo.top).encode()
    (job,) = sideshoot.json("status")["jobs"]
    assert (job["outcome"], job["decision"]) == ("succeeded", "open")
    assert [it["path"] for it in sideshoot.json("diff")["files"]] == ["new.txt"]
    sideshoot("discard").ok()
