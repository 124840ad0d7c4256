"""Which change is reviewed: exactly what lies there, whatever state the repository is in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import UsageError, WrongState
from sideshoot.git import discover
from sideshoot.model import Job, JobId, Request, State
from sideshoot.review.target import NothingToReview, Scope, Wanted, resolve
from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.review.target import Target

WORKING_TREE = Wanted(scope=Scope.WORKING_TREE)


def seen(target: Target) -> dict[bytes, str]:
    return {change.path: change.status for change in target.changes}


# -- the working tree


def test_staged_unstaged_and_untracked_changes_are_all_there(
    repo: Repo, repository: Repository
) -> None:
    repo.write("app.py", "staged = 1\n")
    repo.git("add", "app.py")
    repo.write("app.py", "staged = 1\nunstaged = 2\n")
    repo.write("new.py", "new\n")
    repo.write("staged.py", "new\n")
    repo.git("add", "staged.py")
    repo.remove("docs/guide.txt")
    repo.write("ignored.log", "x")
    before = repo.fingerprint()

    target = resolve(repository, WORKING_TREE)

    assert seen(target) == {
        b"app.py": "modified",
        b"docs/guide.txt": "deleted",
        b"new.py": "added",
        b"staged.py": "added",
    }
    assert target.what == "the working tree"
    assert target.before == repo.head()
    assert repo.git("cat-file", "blob", f"{target.after}:app.py") == b"staged = 1\nunstaged = 2\n"
    assert target.is_here
    assert target.reviewer == {"type": "uncommittedChanges"}
    assert repo.fingerprint() == before


def test_names_of_any_kind(repo: Repo, repository: Repository) -> None:
    names = [b"a\nb", b"it's", b'"quoted"', b"$HOME", b"caf\xe9", "grün".encode(), b"-x", b":(top)"]
    for name in names:
        repo.write(name, "x\n")
    assert seen(resolve(repository, WORKING_TREE)) == dict.fromkeys(names, "added")
    for name in names:
        target = resolve(repository, Wanted(paths=(name,)))
        assert seen(target) == {name: "added"}
        assert target.reviewer is None


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "fresh", {})
    repo.write("first.py", "x\n")
    target = resolve(discover(repo.top), Wanted())
    assert seen(target) == {b"first.py": "added"}
    assert target.is_here
    assert target.reviewer is None  # there is no HEAD that Codex could compare with


def test_the_middle_of_a_merge(repo: Repo, repository: Repository) -> None:
    repo.git("checkout", "-qb", "side")
    repo.write("app.py", "theirs\n")
    repo.write("side.py", "x\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("app.py", "ours\n")
    repo.commit()
    repo.git("merge", "-q", "side", accept=(1,))
    before = repo.fingerprint()

    target = resolve(repository, Wanted())

    assert target.what == "the working tree in the middle of a merge"
    assert seen(target) == {b"app.py": "modified", b"side.py": "added"}
    assert b"<<<<<<<" in repo.git("cat-file", "blob", f"{target.after}:app.py")
    assert repo.fingerprint() == before


def test_a_linked_worktree_is_a_working_tree_of_its_own(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked")
    repo.write("here.py", "x\n")
    linked.write("there.py", "x\n")
    assert seen(resolve(discover(linked.top), Wanted())) == {b"there.py": "added"}


def test_an_edit_that_git_was_told_to_overlook_is_not_overlooked(
    repo: Repo, repository: Repository
) -> None:
    repo.git("update-index", "--assume-unchanged", "app.py")
    repo.write("app.py", "edited\n")
    target = resolve(repository, WORKING_TREE)
    assert seen(target) == {b"app.py": "modified"}
    assert target.reviewer is None  # Codex would not see it


def test_nothing_uncommitted(repository: Repository) -> None:
    with pytest.raises(NothingToReview, match="nothing is uncommitted; `--base REF`") as caught:
        resolve(repository, WORKING_TREE)
    assert caught.value.exit_status == 3


# -- a branch


def branch_off(repo: Repo, path: str = "feature.py") -> str:
    """A branch with one commit, while main goes on; what main had before."""
    start = repo.head()
    repo.git("checkout", "-qb", "feature")
    repo.write(path, "feature\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("elsewhere.py", "x\n")
    repo.commit()
    repo.git("checkout", "-q", "feature")
    return start


def test_a_branch_is_compared_with_where_it_left_its_base(
    repo: Repo, repository: Repository
) -> None:
    start = branch_off(repo)
    target = resolve(repository, Wanted(base="main"))
    assert seen(target) == {b"feature.py": "added"}
    assert (target.before, target.after) == (start, repo.head())
    assert target.what == "the branch against main"
    assert target.is_here
    assert target.reviewer == {"type": "baseBranch", "branch": "main"}


def test_a_base_that_is_no_branch_has_no_name_for_codex(repo: Repo, repository: Repository) -> None:
    start = branch_off(repo)
    target = resolve(repository, Wanted(base="main~1"))
    assert target.before == start
    assert target.reviewer is None


def test_what_is_not_committed_is_no_part_of_a_branch(repo: Repo, repository: Repository) -> None:
    branch_off(repo)
    repo.write("mine.py", "x\n")
    target = resolve(repository, Wanted(scope=Scope.BRANCH))
    assert seen(target) == {b"feature.py": "added"}
    assert not target.is_here
    assert target.reviewer is None  # Codex would see it
    assert "not committed" in target.notes[0]


def test_codex_takes_the_upstream_of_a_base_that_is_ahead(
    repo: Repo, repository: Repository
) -> None:
    branch_off(repo)
    repo.git("update-ref", "refs/remotes/origin/main", "feature")
    repo.git("config", "remote.origin.url", "x")
    repo.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    repo.git("config", "branch.main.remote", "origin")
    repo.git("config", "branch.main.merge", "refs/heads/main")
    assert resolve(repository, Wanted(base="main")).reviewer is None


def test_the_default_is_the_working_tree_and_else_the_branch(
    repo: Repo, repository: Repository
) -> None:
    branch_off(repo)
    assert resolve(repository, Wanted()).what == "the branch against main"
    repo.write("mine.py", "x\n")
    assert resolve(repository, Wanted()).what == "the working tree"
    target = resolve(repository, Wanted(paths=(b"feature.py",)))
    assert target.what == "the branch against main at feature.py"


def test_nothing_at_all(repo: Repo, repository: Repository) -> None:
    with pytest.raises(NothingToReview, match="HEAD has nothing that main has not"):
        resolve(repository, Wanted())
    with pytest.raises(NothingToReview, match=r"main changes nothing at app\.py"):
        resolve(repository, Wanted(paths=(b"app.py",)))
    repo.git("branch", "-qm", "main", "other")
    with pytest.raises(NothingToReview, match="no default branch is found"):
        resolve(repository, Wanted())


@pytest.mark.parametrize("base", ["nothing", "--output=x", "main:app.py"])
def test_a_base_that_is_not_there(repository: Repository, base: str) -> None:
    with pytest.raises(UsageError, match="names no commit"):
        resolve(repository, Wanted(base=base))


def test_a_base_without_a_common_commit(repo: Repo, repository: Repository) -> None:
    repo.git("checkout", "-q", "--orphan", "island")
    repo.commit()
    with pytest.raises(UsageError, match="no commit in common"):
        resolve(repository, Wanted(base="main"))


# -- a commit


def test_a_commit_is_seen_in_a_copy_if_the_tree_is_another(
    repo: Repo, repository: Repository
) -> None:
    repo.write("app.py", "one\n")
    commit = repo.commit("make it one")
    target = resolve(repository, Wanted(commit="HEAD"))
    assert seen(target) == {b"app.py": "modified"}
    assert target.what == f"commit {commit[:10]}"
    assert target.reviewer == {"type": "commit", "sha": commit, "title": "make it one"}
    assert target.is_here

    repo.write("app.py", "two\n")
    repo.commit()
    target = resolve(repository, Wanted(commit=commit))
    assert (target.is_here, target.after) == (False, commit)
    assert target.reviewer is not None


def test_the_first_commit_is_compared_with_nothing(repo: Repo, repository: Repository) -> None:
    target = resolve(repository, Wanted(commit="HEAD"))
    assert b"app.py" in seen(target)
    assert set(seen(target).values()) == {"added"}


def test_a_merge_is_compared_with_its_first_parent(repo: Repo, repository: Repository) -> None:
    branch_off(repo)
    repo.git("merge", "-q", "--no-edit", "main")
    target = resolve(repository, Wanted(commit="HEAD"))
    assert seen(target) == {b"elsewhere.py": "added"}
    assert target.what.endswith("against its first parent")
    assert target.reviewer is None


def test_an_empty_commit(repo: Repo, repository: Repository) -> None:
    repo.commit("nothing")
    with pytest.raises(NothingToReview, match="changes no file"):
        resolve(repository, Wanted(commit="HEAD"))


# -- a job


def job_of(base: str | None, result: str | None, state: State = State.FINISHED) -> Job:
    return Job(JobId("k3fw9t"), Request("command"), state=state, base=base, result=result)


def test_a_job_is_compared_with_what_it_started_from(repo: Repo, repository: Repository) -> None:
    base = repo.head()
    repo.write("made.py", "x\n")
    result = repo.commit()
    repo.git("reset", "-q", "--hard", base)
    target = resolve(repository, Wanted(job=job_of(base, result)))
    assert seen(target) == {b"made.py": "added"}
    assert (target.what, target.job, target.is_here) == ("what job k3fw9t did", "k3fw9t", False)
    assert target.reviewer is None


def test_a_job_that_changed_nothing_or_is_still_at_work(repo: Repo, repository: Repository) -> None:
    with pytest.raises(NothingToReview, match="job k3fw9t changed nothing"):
        resolve(repository, Wanted(job=job_of(repo.head(), repo.head())))
    with pytest.raises(NothingToReview, match="job k3fw9t changed nothing"):
        resolve(repository, Wanted(job=job_of(None, None)))
    with pytest.raises(WrongState, match="sideshoot wait k3fw9t"):
        resolve(repository, Wanted(job=job_of(None, None, State.RUNNING)))


# -- paths


def test_only_what_lies_at_the_paths_is_reviewed(repo: Repo, repository: Repository) -> None:
    for path in ("src/beds.py", "src/tools/rake.py", "app.py"):
        repo.write(path, "changed\n")
    target = resolve(repository, Wanted(paths=(b"src", b"docs")))
    assert set(seen(target)) == {b"src/beds.py", b"src/tools/rake.py"}
    assert target.what == "the working tree at src, docs"
    assert target.notes == ("nothing is changed at docs",)


def test_more_paths_than_a_command_line_takes(repo: Repo, repository: Repository) -> None:
    paths = tuple(os.fsencode(f"{'deep/' * 40}{number}") for number in range(1500))
    repo.write("app.py", "changed\n")
    target = resolve(repository, Wanted(paths=(*paths, b"app.py")))
    assert set(seen(target)) == {b"app.py"}
    assert "and 1498 more" in target.what
