"""Where a job belongs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import WrongState
from sideshoot.git import discover
from sideshoot.jobs import service
from sideshoot.jobs.decide import discard_job, keep_job
from sideshoot.jobs.place import home_of, workspace_of
from sideshoot.jobs.store import Store
from sideshoot.model import Decision
from sideshoot.workspace.keep_options import KeepOptions
from support.jobs import Jobs
from support.processes import await_true
from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path


def test_work_is_for_the_tree_that_it_began_in(jobs: Jobs, tmp_path: Path) -> None:
    jobs.repo.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    job = Jobs(Repo(tmp_path / "linked")).run("echo x > made")
    keep_job(jobs.repository, jobs.store, job, options=KeepOptions())
    assert (tmp_path / "linked" / "made").exists()
    assert not (jobs.repo.top / "made").exists()


def test_a_job_can_be_decided_on_in_its_own_workspace(jobs: Jobs, worktrees: Path) -> None:
    job = jobs.run("echo x > made")
    inside = discover(worktrees / job.id)
    keep_job(inside, jobs.store, job, options=KeepOptions())
    assert (jobs.repo.top / "made").exists()
    await_true(lambda: not worktrees.exists(), "the removal of the folder")


def test_a_tree_that_is_gone(jobs: Jobs, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    jobs.repo.git("worktree", "add", "-q", "-b", "linked", str(linked))
    elsewhere = Jobs(Repo(linked))
    job = elsewhere.run("echo x > made")
    assert job.worktree
    (linked / ".worktrees" / job.id).rename(tmp_path / "saved")
    shutil.rmtree(linked)
    (linked / ".worktrees").mkdir(parents=True)
    (tmp_path / "saved").rename(job.worktree)
    with pytest.raises(WrongState, match="is gone"):
        home_of(discover(linked / ".worktrees" / job.id), job)
    assert home_of(jobs.repository, job) == jobs.repository
    keep_job(jobs.repository, jobs.store, job, options=KeepOptions())
    assert (jobs.repo.top / "made").exists()


@pytest.mark.parametrize("decide", ["keep", "discard"])
def test_a_repository_that_was_moved(jobs: Jobs, tmp_path: Path, decide: str) -> None:
    job = jobs.run("echo x > made")
    jobs.store.close()
    moved = jobs.repo.top.rename(tmp_path / "moved")
    repository = discover(moved)
    store = Store.open(repository.state_dir)
    workspace = workspace_of(repository, job)
    assert workspace is not None
    assert workspace.path == moved / ".worktrees" / job.id
    assert workspace.git_dir == moved / ".git" / "worktrees" / job.id
    (workspace.path / "later").write_text("by hand\n")
    assert service.recover(repository) == []
    if decide == "keep":
        keep_job(repository, store, job, options=KeepOptions())
        assert (moved / "made").read_text() == "x\n"
        assert (moved / "later").read_text() == "by hand\n"
    else:
        discard_job(repository, store, job)
    assert store.get(job.id).decision is not Decision.OPEN
    await_true(lambda: not (moved / ".worktrees").exists(), "the removal of the folder")
    moved.rename(jobs.repo.top)


@pytest.mark.parametrize("directory", ["heap/copies", "../copies"])
def test_a_repository_that_was_moved_with_workspaces_elsewhere(
    jobs: Jobs, tmp_path: Path, directory: str
) -> None:
    """Those inside of the tree have moved with it, those outside have not."""
    folder = (jobs.repo.top / directory).resolve()
    job = jobs.run("echo x > made", directory=str(folder))
    jobs.store.close()
    moved = jobs.repo.top.rename(tmp_path / "elsewhere")
    repository = discover(moved)
    store = Store.open(repository.state_dir)
    place = moved / directory if folder.is_relative_to(jobs.repo.top) else folder

    workspace = workspace_of(repository, job)
    assert workspace is not None
    assert workspace.path == place / job.id
    (workspace.path / "later").write_text("by hand\n")
    keep_job(repository, store, job, options=KeepOptions())

    assert (moved / "made").read_text() == "x\n"
    assert (moved / "later").read_text() == "by hand\n"
    await_true(lambda: not (place / job.id).exists(), "the removal of the workspace")
    moved.rename(jobs.repo.top)
