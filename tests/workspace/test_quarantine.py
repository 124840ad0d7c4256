"""What is done in a clone is held apart from the user's repository, and copied there when it is to be."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.quarantine import bring_home
from support.repos import Repo
from support.workspaces import JOB, cloned, inside

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.workspace.place import Workspace


@pytest.fixture
def worked(repo: Repo) -> Workspace:
    """A clone in which an agent has committed, and gone on."""
    repo.write("README.md", "# mine, not committed\n")
    workspace = cloned(repo)
    agent = inside(workspace)
    agent.write("made", "committed\n")
    agent.commit("the agent's")
    agent.git("branch", "side")
    agent.write("made", "then changed\n")
    capture(discover(repo.top), workspace)
    return workspace


def brought(repo: Repo, workspace: Workspace) -> None:
    bring_home(discover(repo.top), workspace.holder, JOB, workspace.head)


def test_all_of_a_jobs_refs_are_brought_and_no_others(repo: Repo, worked: Workspace) -> None:
    for _ in range(2):
        brought(repo, worked)
        held = {name.rpartition("/")[2] for name in repo.our_refs()}
        assert held == {"base", "result", "borrowed"}
    result = f"refs/sideshoot/{JOB}/result"
    assert repo.git("show", f"{result}:made") == b"then changed\n"
    assert repo.git("show", f"{result}^2:made") == b"committed\n"
    assert repo.git("show", f"{result}^1:README.md") == b"# mine, not committed\n"
    assert repo.text("branch", "--list", "side") == ""
    shutil.rmtree(worked.common_dir)
    shutil.rmtree(worked.git_dir)
    repo.git("fsck", "--strict")


def test_a_pack_that_a_crash_left_is_no_matter(repo: Repo, worked: Workspace) -> None:
    scratch = worked.common_dir / "sideshoot" / "tmp" / "1-x"
    scratch.mkdir(parents=True)
    (scratch / "objects.pack").write_bytes(b"half of one")
    brought(repo, worked)
    repo.git("fsck", "--strict")


def test_the_users_configuration_is_in_force_as_it_is_now(repo: Repo, worked: Workspace) -> None:
    repo.git("config", "filter.x.clean", "cat")
    git = worked.repository.git
    assert git.text("config", "filter.x.clean") == "cat"
    inside(worked).git("config", "filter.y.clean", "evil")
    assert git.run("config", "filter.y.clean", accept=(1,)).stdout == b""


def test_the_settings_of_one_working_tree_are_in_force(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked")
    linked.git("config", "--worktree", "core.autocrlf", "true")
    workspace = cloned(linked)
    for git in (workspace.repository.git.text, inside(workspace).text):
        assert git("config", "core.autocrlf") == "true"


def test_objects_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / 'new\nline "quoted" a:b')
    workspace = cloned(repo)
    agent = inside(workspace)
    agent.write("made", "x\n")
    commit = agent.commit("the agent's")
    found = capture(discover(repo.top), workspace)
    assert workspace.holder.git.text("rev-parse", f"{found.commit}^2") == commit
