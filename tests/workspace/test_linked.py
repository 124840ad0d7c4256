"""What a workspace shares with the user's tree is read through links, and nobody's work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.model import JobId
from sideshoot.workspace.base import make_base
from sideshoot.workspace.capture import capture
from sideshoot.workspace.ignored import list_ignored
from sideshoot.workspace.opening import open_workspace, plan_workspace
from sideshoot.workspace.removal import remove_workspace
from support.repos import Repo
from support.workspaces import JOB, inside, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.workspace.place import Workspace


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project with much ignored data."""
    repo = Repo.create(tmp_path / "garden")
    repo.write(".gitignore", "data/\nmodel.bin\n*.log\n")
    repo.commit()
    repo.write("data/set/one", "1\n")
    repo.write("data/two", "2\n")
    repo.write("model.bin", "large\n")
    return repo


def linked(repo: Repo, *paths: str) -> tuple[Workspace, list[str]]:
    repository = discover(repo.top)
    base = make_base(repository, JobId(JOB))
    workspace = plan_workspace(repository, JobId(JOB), base)
    return workspace, open_workspace(repository, workspace, base, link_paths=paths)


def test_it_is_read_where_it_would_be(repo: Repo) -> None:
    workspace, notes = linked(repo, "data/", "model.bin")
    there = inside(workspace)
    assert notes == []
    assert there.read("data/set/one") == b"1\n"
    assert there.read("model.bin") == b"large\n"
    assert there.place("data/two").readlink() == repo.place("data/two")
    assert there.git("status", "--porcelain") == b""


def test_it_is_no_work_of_the_agent(repo: Repo) -> None:
    workspace, _ = linked(repo, "data", "model.bin")
    there = inside(workspace)
    there.write(".gitignore", "*.log\n")
    there.write("data/new", "the agent's\n")
    captured = capture(discover(repo.top), workspace)
    changed = repo.text("diff", "--name-only", workspace.base, captured.commit)
    assert changed.splitlines() == [".gitignore", "data/new"]
    assert list_ignored(workspace).count == 0
    there.write(".gitignore", "data/\nmodel.bin\n")
    there.place("model.bin").unlink()
    there.write("model.bin", "the agent's own\n")
    assert list_ignored(workspace).paths == (b"data/new", b"model.bin")


def test_its_removal_removes_links_alone(repo: Repo) -> None:
    workspace, _ = linked(repo, "data", "model.bin")
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: not (repo.top / ".worktrees").exists())
    assert repo.read("data/set/one") == b"1\n"
    assert repo.read("model.bin") == b"large\n"


def test_what_is_linked_is_not_copied_as_well(repo: Repo) -> None:
    repo.write(".worktreeinclude", "data\n*.bin\nx.log\n")
    repo.write("x.log", "copied\n")
    workspace, notes = linked(repo, "data/set", "model.bin")
    there = inside(workspace)
    assert notes == []
    assert there.place("data/set/one").is_symlink()
    assert there.place("model.bin").is_symlink()
    assert not there.place("data/two").is_symlink()
    assert there.read("data/two") == b"2\n"
    assert there.read("x.log") == b"copied\n"
    assert list_ignored(workspace).count == 0


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere", "you have nothing there"),
        ("src", "the workspace has something there"),
        ("app.py", "the workspace has something there"),
        ("out/file", "the way to it leads out of your tree"),
    ],
)
def test_what_can_not_be_linked_is_told(repo: Repo, tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    repo.link("out", os.fspath(tmp_path / "outside"))
    _, notes = linked(repo, path)
    assert notes == [f"workspace.link: {path} is not linked: {why}"]


def test_what_git_does_not_ignore_is_not_linked(repo: Repo) -> None:
    (repo.top / "plain" / "empty").mkdir(parents=True)
    workspace, notes = linked(repo, "plain")
    assert notes == ["workspace.link: plain is not linked: git does not ignore it"]
    assert not inside(workspace).place("plain").exists()
