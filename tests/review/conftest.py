"""What the tests of reviews build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.agents import registry
from sideshoot.git import discover
from support.jobs import Gardener, Jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Repository
    from support.repos import Repo


@pytest.fixture
def repository(repo: Repo) -> Repository:
    return discover(repo.top)


@pytest.fixture
def jobs(repo: Repo) -> Iterator[Jobs]:
    made = Jobs(repo)
    yield made
    made.end()


@pytest.fixture
def gardener(monkeypatch: pytest.MonkeyPatch) -> Gardener:
    """An agent of this process alone, by the name of `gardener`."""
    made = Gardener()
    known = registry.agent_named
    monkeypatch.setattr(
        registry, "agent_named", lambda name: made if name == made.name else known(name)
    )
    return made
