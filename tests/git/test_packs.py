"""Objects are copied as they are asked for, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import GitError
from sideshoot.git import discover
from sideshoot.git.packs import copy_objects
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@pytest.fixture
def empty(tmp_path: Path) -> Repo:
    """A repository without objects."""
    return Repo.create(tmp_path / "empty", {})


def copied(source: Repo, target: Repo, tips: Collection[str], **how: object) -> int:
    folder = source.top.parent
    git, other = discover(source.top).git, discover(target.top).git
    count = copy_objects(git, other, tips, scratch=folder, **how)  # type: ignore[arg-type]
    assert not (folder / "objects.pack").exists()
    return count


def objects(repo: Repo) -> set[str]:
    shape = ("--batch-all-objects", "--batch-check=%(objectname)")
    return {*repo.text("cat-file", *shape).splitlines()}


def test_all_that_can_be_reached(repo: Repo, empty: Repo) -> None:
    loose = repo.git("hash-object", "-w", "--stdin", stdin=b"nobody's\n").decode().strip()
    assert copied(repo, empty, [repo.head()]) == len(objects(repo)) - 1
    assert objects(empty) == objects(repo) - {loose}


def test_nothing_that_is_known(repo: Repo, empty: Repo) -> None:
    first = repo.head()
    repo.write("fresh", "fresh\n")
    second = repo.commit("second")
    assert copied(repo, empty, [second], known=[first]) == 3
    assert objects(empty) == {
        repo.text("rev-parse", f"{second}{what}") for what in ("", "^{tree}", ":fresh")
    }


def test_nothing_at_all(repo: Repo, empty: Repo) -> None:
    assert copied(repo, empty, []) == 0
    assert copied(repo, empty, [repo.head()], known=[repo.head()]) == 0
    assert objects(empty) == set()


@pytest.mark.parametrize("count", [3, 300])
def test_only_what_is_not_borrowed(count: int, repo: Repo, tmp_path: Path, empty: Repo) -> None:
    borrower = Repo(tmp_path / "borrower")
    repo.git("clone", "-q", "--shared", ".", str(borrower.top))
    for number in range(count):
        borrower.write(f"many/{number}", f"{number}\n")
    commit = borrower.commit("many")
    known = objects(repo)
    found = copied(borrower, empty, [commit], only_own=True)
    assert found == count + 3
    assert objects(empty) & known == set()
    assert len(objects(empty)) == found


def test_what_is_missing_is_a_failure(repo: Repo, empty: Repo) -> None:
    for tips, known in (("1" * 40, repo.head()), (repo.head(), "1" * 40)):
        with pytest.raises(GitError):
            copied(repo, empty, [tips], known=[known])
    assert objects(empty) == set()
