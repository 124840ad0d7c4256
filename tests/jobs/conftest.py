"""What the tests of jobs build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.jobs import Jobs

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
