"""A client with its server, started in a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.mcp import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.repos import Repo


@pytest.fixture
def client(repo: Repo) -> Iterator[Client]:
    """After the handshake."""
    with Client(repo.top) as started:
        started.begin()
        yield started


@pytest.fixture
def fresh(repo: Repo) -> Iterator[Client]:
    """Before any message."""
    with Client(repo.top) as started:
        yield started
