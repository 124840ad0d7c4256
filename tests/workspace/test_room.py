"""A workspace that would not fit is refused before anything is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from sideshoot.errors import CannotStart
from sideshoot.git import discover
from sideshoot.workspace import room
from sideshoot.workspace.room import tracked_bytes
from support.hostile import configure
from support.workspaces import opened, planned, traces

if TYPE_CHECKING:
    from support.repos import Repo


class Usage(NamedTuple):
    free: int


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much is free, in bytes, and file systems that can't share blocks."""
    amount = [0]
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(amount[0]))
    monkeypatch.setattr(room, "_clones", lambda *_: False)
    return amount


def with_large_file(repo: Repo) -> None:
    """Of three megabytes, and old: of a file as young as its index git notes no size."""
    repo.write("large.bin", bytes(3_000_000))
    for path in repo.tree():
        os.utime(repo.place(path), (1_000_000_000, 1_000_000_000))
    repo.commit()


def test_it_is_refused_where_the_files_would_not_fit(repo: Repo, free: list[int]) -> None:
    with_large_file(repo)
    before = repo.fingerprint()
    planned(repo)
    free[0] = room.SPARE + 2_900_000
    with pytest.raises(CannotStart, match=r"takes about 5 MB, and .* has 5 MB free; nothing was"):
        opened(repo, "second")
    assert traces(repo) == []
    assert repo.fingerprint() == before
    free[0] = room.SPARE + 3_100_000
    assert opened(repo, "third").path.is_dir()


def test_copies_that_share_blocks_take_no_room(
    repo: Repo, free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_large_file(repo)
    monkeypatch.setattr(room, "_clones", lambda *_: True)
    free[0] = room.SPARE + 1
    assert opened(repo).path.is_dir()


def test_the_index_tells_what_the_files_take(repo: Repo) -> None:
    with_large_file(repo)
    assert tracked_bytes(discover(repo.top)) == sum(
        repo.place(path).stat().st_size for path, *_ in repo.index()
    )
    configure("index.version", "4")
    repo.git("update-index", "--index-version", "4")
    assert tracked_bytes(discover(repo.top)) == 0
