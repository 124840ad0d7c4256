"""Workspaces elsewhere than in `.worktrees`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import CannotStart
from sideshoot.git import discover
from sideshoot.model import JobId
from sideshoot.workspace.base import make_base
from sideshoot.workspace.folders import Used, folder_for, used_folders
from sideshoot.workspace.guard import compare, take_guard
from sideshoot.workspace.opening import open_workspace, plan_workspace
from sideshoot.workspace.removal import remove_workspace
from support.workspaces import JOB, inside, opened, wait_until

if TYPE_CHECKING:
    from support.repos import Repo

COPIES = Path("heap/our [copies]*")


def test_a_folder_is_relative_to_the_top_or_of_the_users(repo: Repo, home: Path) -> None:
    repository = discover(repo.top)

    assert folder_for(repository) == repo.top / ".worktrees"
    assert folder_for(repository, Path("a/b/../c")) == repo.top / "a" / "c"
    assert folder_for(repository, Path("../beside")) == repo.top.parent / "beside"
    assert folder_for(repository, Path("~/copies")) == home / "copies"


def test_git_status_stays_clean(repo: Repo) -> None:
    repo.write("heap/mine", "mine\n")
    before = repo.status()

    first = opened(repo, "first", directory=COPIES)
    second = opened(repo, "second", directory=COPIES)

    assert repo.status() == before
    assert inside(first).status() == inside(second).status() == before
    assert first.path.parent == repo.top / COPIES
    assert (first.path / "heap" / "mine").exists()
    assert not (second.path / COPIES).exists()


def test_our_own_line_is_no_change_of_the_agents(repo: Repo) -> None:
    repository = discover(repo.top)
    base = make_base(repository, JobId(JOB))
    workspace = plan_workspace(repository, JobId(JOB), base, directory=COPIES)
    guard = take_guard(repository, JobId(JOB), workspace.branch)
    exclude = repo.common_dir / "info" / "exclude"
    before = exclude.read_bytes()

    open_workspace(repository, workspace, base)

    assert exclude.read_bytes() != before
    assert compare(repository, guard) == []
    exclude.write_bytes(exclude.read_bytes() + b"/heap\n")
    assert [line for line in compare(repository, guard) if "info/exclude changed" in line]


def test_a_workspace_for_work_in_a_workspace_lies_beside_it(repo: Repo, tmp_path: Path) -> None:
    first = opened(repo, "first", directory=tmp_path / "copies")

    second = opened(inside(first), "second", directory=COPIES)

    assert second.path == tmp_path / "copies" / "second"


@pytest.mark.parametrize("directory", [COPIES, Path("../copies"), Path(".worktrees")])
def test_it_goes_as_any_other(repo: Repo, directory: Path) -> None:
    before = repo.fingerprint()
    workspace = opened(repo, directory=directory)
    assert workspace.path.parent == (repo.top / directory).resolve()

    remove_workspace(discover(repo.top), workspace)

    wait_until(lambda: not (repo.top / directory).exists())
    wait_until(lambda: repo.fingerprint() == before)


def test_folders_that_were_used_are_remembered(repo: Repo, tmp_path: Path) -> None:
    for job, directory in (
        ("first", COPIES),
        ("second", tmp_path / "copies"),
        ("third", COPIES),
        ("fourth", None),
    ):
        opened(repo, job, directory=directory)

    inside_top = repo.top / COPIES
    assert used_folders(discover(repo.top)) == [
        Used(repo.top, inside_top, (inside_top, inside_top.parent)),
        Used(repo.top, tmp_path / "copies", (tmp_path / "copies",)),
    ]


def test_a_folder_that_was_there_before_stays(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    workspace = opened(repo, directory=tmp_path / "copies")

    remove_workspace(discover(repo.top), workspace)

    wait_until(lambda: not any((tmp_path / "copies").iterdir()))
    assert (tmp_path / "copies").is_dir()


# -- folders that will not do


@pytest.mark.parametrize("directory", [".git", ".git/copies", ".git/worktrees"])
def test_gits_own_folders_are_refused(repo: Repo, directory: str) -> None:
    (repo.top / "link").symlink_to(".git")
    for place in (Path(directory), repo.top / directory, Path("link") / "x"):
        with pytest.raises(CannotStart, match="is git's own"):
            folder_for(discover(repo.top), place)


def test_the_top_is_refused(repo: Repo) -> None:
    with pytest.raises(CannotStart, match="the top of the working tree"):
        folder_for(discover(repo.top), repo.top)


def test_a_folder_of_the_users_is_refused(repo: Repo) -> None:
    """The line that keeps workspaces out of `git status` would hide the user's files, too."""
    repository = discover(repo.top)
    (repo.top / "empty").mkdir()
    repo.write("notes/todo", "mine\n")

    for directory in ("src", "src/tools", "notes", "app.py"):
        with pytest.raises(CannotStart, match="holds other things than workspaces"):
            folder_for(repository, Path(directory))
    for directory in ("empty", "notes/copies", "new"):
        assert folder_for(repository, Path(directory)) == repo.top / directory


def test_a_folder_that_is_tracked_and_was_deleted_is_refused(repo: Repo) -> None:
    repo.remove("src")

    with pytest.raises(CannotStart, match="holds other things"):
        folder_for(discover(repo.top), Path("src"))


def test_a_folder_that_git_ignores_may_hold_anything(repo: Repo) -> None:
    repo.write("scratch/mine", "mine\n")
    with pytest.raises(CannotStart, match="holds other things"):
        folder_for(discover(repo.top), Path("scratch"))

    repo.write(".gitignore", "/scratch\n")

    assert folder_for(discover(repo.top), Path("scratch")) == repo.top / "scratch"


def test_trash_is_no_hindrance(repo: Repo) -> None:
    workspace = opened(repo, directory=COPIES)
    workspace.path.rename(workspace.path.parent / ".sideshoot-trash-0123456789ab")

    assert folder_for(discover(repo.top), COPIES) == repo.top / COPIES
