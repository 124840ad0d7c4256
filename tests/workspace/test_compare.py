"""What differs between two commits, read in bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.compare import changed_files, read_patch

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from support.repos import Repo


@pytest.fixture
def repository(repo: Repo) -> Repository:
    return discover(repo.top)


def test_no_more_of_a_patch_is_read_than_asked_for(repo: Repo, repository: Repository) -> None:
    before = repo.head()
    repo.write("app.py", "x = 1\n" * 100_000)
    after = repo.commit()
    patch, is_all = read_patch(repository, before, after, [b"app.py"], limit=1000)
    assert (len(patch), is_all) == (1000, False)
    assert patch.startswith(b"diff --git a/app.py b/app.py\n")


def test_a_patch_that_just_fits_is_whole(repo: Repo, repository: Repository) -> None:
    before = repo.head()
    repo.write("app.py", "one\n")
    repo.write("docs/guide.txt", "one\n")
    after = repo.commit()
    patch, is_all = read_patch(repository, before, after, [b"app.py"], limit=100_000)
    assert is_all
    assert b"guide.txt" not in patch
    again = read_patch(repository, before, after, [b"app.py"], limit=len(patch))
    assert again == (patch, True)
    assert read_patch(repository, before, after, [b"app.py"], limit=len(patch) - 1)[1] is False


def test_names_in_utf8_are_shown_as_they_are(repo: Repo, repository: Repository) -> None:
    before = repo.head()
    repo.write("grün*.txt", "x\n")
    after = repo.commit()
    patch, _ = read_patch(repository, before, after, ["grün*.txt".encode()], limit=10_000)
    assert "+++ b/grün*.txt" in patch.decode()


def test_what_is_large_is_not_read_as_text(repo: Repo, repository: Repository) -> None:
    before = repo.head()
    repo.write("large.txt", "x = 1\n" * 1000)
    repo.write("small.txt", "x = 1\n")
    after = repo.commit()
    large, small = changed_files(repository, before, after, text_limit=2000)
    assert (large.path, large.binary) == (b"large.txt", True)
    assert (small.binary, small.insertions) == (False, 1)
    patch, _ = read_patch(repository, before, after, [b"large.txt"], limit=100_000, text_limit=2000)
    assert b"Binary files" in patch
    assert len(patch) < 300


def test_many_paths_mean_what_few_do(repo: Repo, repository: Repository) -> None:
    before = repo.head()
    repo.write("src/beds.py", "x\n")
    repo.write("src/tools/rake.py", "x\n")
    repo.write("srcs.py", "x\n")
    after = repo.commit()
    many = [b"src", *(b"no/%d" % number for number in range(300))]
    found = [change.path for change in changed_files(repository, before, after, many)]
    assert found == [b"src/beds.py", b"src/tools/rake.py"]
    assert found == [change.path for change in changed_files(repository, before, after, [b"src"])]
