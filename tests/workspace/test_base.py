"""What a workspace starts from: the user's tree as it lies there, with nothing touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import SideshootError, UsageError
from sideshoot.git import discover
from sideshoot.model import Carry, JobId
from sideshoot.workspace.base import Base, make_base
from sideshoot.workspace.refs import base_ref
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOB = JobId("k3f9")


def based(repo: Repo, carry: Carry = Carry.ALL, revision: str | None = None) -> Base:
    return make_base(discover(repo.top), JOB, carry=carry, revision=revision)


def dirty(repo: Repo) -> None:
    repo.write("app.py", "staged\n")
    repo.git("add", "app.py")
    repo.write("app.py", "unstaged\n")
    repo.write("untracked", "mine\n")
    repo.write("ignored.log", "no\n")
    repo.remove("docs/guide.txt")


@pytest.mark.parametrize(
    ("carry", "app", "untracked", "guide"),
    [
        (Carry.ALL, b"unstaged\n", True, False),
        (Carry.TRACKED, b"unstaged\n", False, False),
        (Carry.NONE, None, False, True),
    ],
)
def test_what_is_carried(
    repo: Repo, carry: Carry, app: bytes | None, untracked: bool, guide: bool
) -> None:
    committed = repo.read("app.py")
    dirty(repo)
    before = repo.fingerprint()

    base = based(repo, carry)

    held = repo.committed(base.commit)
    assert held[b"app.py"][1] == (committed if app is None else app)
    assert (b"untracked" in held, b"docs/guide.txt" in held) == (untracked, guide)
    assert b"ignored.log" not in held
    assert base.head == repo.head()
    assert repo.text("rev-parse", base_ref(JOB)) == base.commit
    assert repo.fingerprint() == before


def test_a_clean_tree_is_the_commit_itself(repo: Repo) -> None:
    assert based(repo).commit == repo.head()


def test_what_is_staged_is_told_apart(repo: Repo) -> None:
    dirty(repo)

    staged = based(repo).index_tree

    assert staged is not None
    assert repo.committed(staged)[b"app.py"][1] == b"staged\n"


def test_another_revision_is_taken_as_it_was_committed(repo: Repo) -> None:
    first = repo.head()
    repo.write("app.py", "second\n")
    repo.commit()
    dirty(repo)

    assert based(repo, revision="HEAD~1").commit == first
    with pytest.raises(UsageError, match="names no commit"):
        based(repo, revision="no-such")


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "unborn", {})
    repo.write("file", "mine\n")

    base = based(repo)

    assert base.head is None
    assert repo.committed(base.commit) == {b"file": (0o100644, b"mine\n")}
    assert repo.committed(based(repo, Carry.NONE).commit) == {}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_git_was_told_to_overlook_is_carried(repo: Repo, flag: str) -> None:
    repo.git("update-index", flag, "app.py")
    repo.write("app.py", "local settings\n")

    assert repo.committed(based(repo).commit)[b"app.py"][1] == b"local settings\n"


def test_files_outside_of_a_sparse_checkout_are_not_taken_for_deleted(repo: Repo) -> None:
    repo.git("sparse-checkout", "set", "docs")
    assert not repo.exists("src/beds.py")

    assert b"src/beds.py" in repo.committed(based(repo).commit)


def test_a_merge_in_progress_is_carried_with_its_markers(repo: Repo) -> None:
    repo.git("checkout", "-qb", "other")
    repo.write("app.py", "other\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("app.py", "main\n")
    repo.commit()
    repo.git("merge", "other", accept=(1,))
    before = repo.fingerprint()

    base = based(repo)

    assert b"<<<<<<<" in repo.committed(base.commit)[b"app.py"][1]
    assert base.index_tree is None
    assert repo.fingerprint() == before


def test_an_edit_in_the_second_of_the_last_add_is_seen(repo: Repo) -> None:
    for number in range(5):
        repo.write("same-size", f"{number}\n")
        repo.git("add", "same-size")
        repo.write("same-size", "x\n")

        assert repo.committed(based(repo).commit)[b"same-size"][1] == b"x\n"


@pytest.mark.parametrize(
    "prepare",
    [
        lambda repo: repo.git("add", "-N", "untracked"),
        lambda repo: repo.git("update-index", "--split-index"),
        lambda repo: repo.git("update-index", "--index-version", "4"),
        lambda repo: (repo.git_dir / "index").unlink(),
        lambda repo: (repo.git_dir / "index.lock").touch(),
    ],
    ids=["intent to add", "split index", "version 4", "no index", "locked"],
)
def test_every_kind_of_index_will_do(repo: Repo, prepare: Callable[[Repo], object]) -> None:
    repo.write("untracked", "mine\n")
    prepare(repo)

    held = repo.committed(based(repo).commit)

    assert held[b"untracked"][1] == b"mine\n"
    assert held[b"src/beds.py"][1] == repo.read("src/beds.py")


def test_a_broken_index_is_a_clear_error(repo: Repo) -> None:
    (repo.git_dir / "index").write_bytes(b"nonsense")

    with pytest.raises(SideshootError, match="index file"):
        based(repo)


def test_a_repository_inside_is_not_entered_and_named(repo: Repo) -> None:
    Repo.create(repo.top / "inner")

    base = based(repo)

    assert not any(path.startswith(b"inner") for path in repo.committed(base.commit))
    assert any("inner is a repository of its own" in warning for warning in base.warnings)
