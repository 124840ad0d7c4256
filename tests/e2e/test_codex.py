"""The real Codex, through the real command, against a model server of the test's own."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from support.codex import set_up_codex
from support.models import ModelServer, play, say, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("codex")


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_codex(monkeypatch, tmp_path / "codex", models)


def test_its_fence_leaves_the_users_repository_out(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    top = shlex.quote(str(repo.top))
    attempts = (
        f"echo x > {top}/leak",
        f"echo x >> {top}/app.py",
        f"echo x >> {top}/.git/config",
        f"echo x > {top}/.git/hooks/post-commit",
        "git update-ref refs/heads/main HEAD~0 && git branch -f stolen HEAD",
        "git config user.name Evil",
    )
    task = play(*(shell(f"{attempt}; true") for attempt in attempts), say("Tried."))
    job = sideshoot("run", "--json", "--agent", "codex", task).ok().json
    assert job["message"] == "Tried."
    assert repo.fingerprint() == before
    assert job["files"] == []
