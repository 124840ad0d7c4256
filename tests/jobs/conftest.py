"""What the tests of jobs build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.agents import registry
from support.jobs import Gardener, Jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.repos import Repo


@pytest.fixture
def jobs(repo: Repo) -> Iterator[Jobs]:
    made = Jobs(repo)
    yield made
    made.end()


@pytest.fixture
def worktrees(repo: Repo) -> Path:
    """Where workspaces are."""
    return repo.top / ".worktrees"


@pytest.fixture
def gardener(monkeypatch: pytest.MonkeyPatch) -> Gardener:
    """An agent of this process alone, by the name of `gardener`."""
    made = Gardener()
    known = registry.agent_named
    monkeypatch.setattr(
        registry, "agent_named", lambda name: made if name == made.name else known(name)
    )
    return made
