"""What an agent does in a submodule outlives the workspace, and comes to the user's own copy."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.git.trees import gitlinks
from sideshoot.workspace.nested import bring_nested, bring_submodules, save_nested
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.submodules import save_submodules
from support.repos import Repo
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from sideshoot.workspace.nested import Nested
    from sideshoot.workspace.place import Workspace


@pytest.fixture
def library(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "library")


@pytest.fixture
def parent(repo: Repo, library: Repo) -> Repo:
    """A repository with a submodule in `lib`, set up in the user's tree."""
    repo.git("submodule", "add", "-q", str(library.top), "lib")
    repo.commit("with a submodule")
    return repo


@pytest.fixture
def workspace(parent: Repo) -> Workspace:
    """A workspace in which the agent has set the submodule up."""
    workspace = opened(parent)
    inside(workspace).git("submodule", "update", "-q", "--init", "--recursive")
    return workspace


def submodules(workspace: Workspace) -> list[tuple[bytes, str]]:
    """Those that the workspace began with."""
    git = workspace.repository.git.with_index(workspace.private_index)
    return list(gitlinks(git, workspace.private_index))


def saved(repo: Repo, workspace: Workspace) -> Nested:
    """What is saved; then the workspace goes."""
    nested = save_nested(discover(repo.top), workspace, [], submodules(workspace))
    again = save_nested(discover(repo.top), workspace, [], submodules(workspace))
    assert again == nested
    remove_workspace(discover(repo.top), workspace)
    assert b"missing" not in repo.git("fsck", "--full")
    return nested


def brought(repo: Repo, nested: Nested) -> list[str]:
    return bring_submodules(discover(repo.top), JOB, nested.records)


def test_nothing_is_saved_of_what_did_not_change(parent: Repo, workspace: Workspace) -> None:
    nested = saved(parent, workspace)
    assert (nested.records, nested.links, nested.warnings) == ((), (), ())


def test_nothing_is_saved_of_what_was_not_set_up(parent: Repo) -> None:
    workspace = opened(parent)
    assert save_submodules(discover(parent.top), workspace, submodules(workspace)) == []


def test_a_commit_reaches_the_users_submodule(parent: Repo, workspace: Workspace) -> None:
    before = parent.fingerprint()
    submodule = Repo(workspace.path / "lib")
    submodule.write("app.py", "by the agent\n")
    commit = submodule.commit("by the agent")

    nested = saved(parent, workspace)
    assert nested.links == ((b"lib", commit),)
    assert parent.fingerprint() == before
    (line,) = brought(parent, nested)
    assert "are in your submodule" in line

    # As after a keep: the index names the agent's commit.
    parent.git("update-index", "--cacheinfo", f"160000,{commit},lib")
    parent.git("submodule", "update", "-q")
    assert Repo(parent.top / "lib").head() == commit
    assert parent.read("lib/app.py") == b"by the agent\n"


def test_branches_and_stashes_reach_it_too(parent: Repo, workspace: Workspace) -> None:
    submodule = Repo(workspace.path / "lib")
    submodule.git("checkout", "-q", "-b", "feature")
    feature = submodule.commit("on a branch")
    submodule.git("pack-refs", "--all")
    submodule.git("tag", "-a", "-m", "x", "v1")
    submodule.git("checkout", "-q", "--detach", "origin/main")
    for text in ("older", "newer"):
        submodule.write("app.py", f"{text} stash\n")
        submodule.git("stash", "push", "-q")
    nested = saved(parent, workspace)
    assert nested.links == ()
    brought(parent, nested)
    own = Repo(parent.top / "lib")
    assert own.text("rev-parse", f"refs/sideshoot/{JOB}/heads/feature") == feature
    assert own.text("rev-parse", f"refs/sideshoot/{JOB}/tags/v1^0") == feature
    stashes = [
        own.git("show", f"refs/sideshoot/{JOB}/sideshoot/stash/{number}:app.py")
        for number in range(2)
    ]
    assert stashes == [b"older stash\n", b"newer stash\n"]


def test_what_was_not_committed_reaches_it_too(parent: Repo, workspace: Workspace) -> None:
    submodule = Repo(workspace.path / "lib")
    submodule.write("app.py", "changed\n")
    submodule.write("fresh.py", "untracked\n", mode=0o755)
    submodule.remove("docs/guide.txt")
    nested = saved(parent, workspace)
    assert nested.links == ()
    (line,) = [line for line in nested.warnings if "were not committed" in line]
    subprocess.run(["/bin/sh", "-c", line.split("`")[1]], cwd=parent.top, check=True, timeout=60)
    assert parent.read("lib/app.py") == b"changed\n"
    assert parent.read("lib/fresh.py") == b"untracked\n"
    brought(parent, nested)
    held = Repo(parent.top / "lib").committed(f"refs/sideshoot/{JOB}/sideshoot/uncommitted")
    assert held[b"app.py"] == (0o100644, b"changed\n")
    assert held[b"fresh.py"] == (0o100755, b"untracked\n")
    assert b"docs/guide.txt" not in held


def test_another_known_commit_needs_no_bundle(parent: Repo, library: Repo) -> None:
    workspace = opened(parent)
    first = library.head()
    inside(workspace).git("submodule", "update", "-q", "--init")
    second = library.commit("second")
    submodule = Repo(workspace.path / "lib")
    submodule.git("fetch", "-q")
    submodule.git("checkout", "-q", "--detach", second)
    assert first != second
    nested = saved(parent, workspace)
    assert nested.links == ((b"lib", second),)
    assert nested.records == ()


def test_says_how_where_the_user_has_not_set_it_up(
    parent: Repo, workspace: Workspace, tmp_path: Path
) -> None:
    commit = Repo(workspace.path / "lib").commit("by the agent")
    parent.git("submodule", "deinit", "-q", "-f", "lib")
    nested = saved(parent, workspace)
    (line,) = brought(parent, nested)
    assert "you have not set it up here" in line
    parent.git("submodule", "update", "-q", "--init")
    subprocess.run(["/bin/sh", "-c", line.split("`")[1]], cwd=parent.top, check=True, timeout=60)
    assert Repo(parent.top / "lib").text("cat-file", "-t", commit) == "commit"


def test_a_submodule_in_a_submodule(repo: Repo, library: Repo, tmp_path: Path) -> None:
    middle = Repo.create(tmp_path / "middle")
    middle.git("submodule", "add", "-q", str(library.top), "deep")
    middle.commit("with a submodule")
    repo.git("submodule", "add", "-q", str(middle.top), "mid")
    repo.git("submodule", "update", "-q", "--init", "--recursive")
    repo.commit("with submodules")
    workspace = opened(repo)
    inside(workspace).git("submodule", "update", "-q", "--init", "--recursive")
    commit = Repo(workspace.path / "mid" / "deep").commit("deep down")
    nested = saved(repo, workspace)
    lines = brought(repo, nested)
    assert any("mid/deep are in your submodule" in line for line in lines)
    assert Repo(repo.top / "mid" / "deep").text("cat-file", "-t", commit) == "commit"


def test_runs_nothing_that_it_names(parent: Repo, workspace: Workspace, tmp_path: Path) -> None:
    submodule = Repo(workspace.path / "lib")
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    submodule.write("app.py", "by the agent\n")
    submodule.commit("by the agent")
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.pager"):
        submodule.git("config", key, str(program))
    submodule.write(".gitattributes", "* filter=evil\n")
    submodule.write("README.md", "not committed\n")
    hooks = submodule.git_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction"):
        (hooks / hook).symlink_to(program)
    (tmp_path / "ran").unlink(missing_ok=True)
    nested = saved(parent, workspace)
    brought(parent, nested)
    assert not (tmp_path / "ran").exists()
    held = Repo(parent.top / "lib").committed(f"refs/sideshoot/{JOB}/sideshoot/uncommitted")
    assert held[b"README.md"][1] == b"not committed\n"


def test_a_damaged_one_is_saved_as_it_lies_there(
    parent: Repo, workspace: Workspace, tmp_path: Path
) -> None:
    submodule = Repo(workspace.path / "lib")
    submodule.write("app.py", "by the agent\n")
    (submodule.git_dir / "refs" / "heads").mkdir()
    (submodule.git_dir / "refs" / "heads" / "main").write_text("1" * 40 + "\n")
    (submodule.git_dir / "HEAD").write_text("1" * 40 + "\n")
    nested = saved(parent, workspace)
    assert any("can't be read" in line for line in nested.warnings)
    (tmp_path / "ready").mkdir()
    places = bring_nested(discover(parent.top), nested.records, tmp_path / "ready")
    assert Path(os.fsdecode(places[b"lib"] + b"/app.py")).read_bytes() == b"by the agent\n"


def test_a_clone_in_a_submodules_place(parent: Repo, library: Repo) -> None:
    workspace = opened(parent)
    shutil.rmtree(workspace.path / "lib")
    inside(workspace).git("clone", "-q", str(library.top), "lib")
    commit = Repo(workspace.path / "lib").commit("in a clone")
    nested = saved(parent, workspace)
    assert nested.links == ((b"lib", commit),)
    brought(parent, nested)
    assert Repo(parent.top / "lib").text("cat-file", "-t", commit) == "commit"


def test_files_in_the_place_of_a_submodule(parent: Repo, tmp_path: Path) -> None:
    parent.git("submodule", "deinit", "-q", "-f", "lib")
    workspace = opened(parent)
    inside(workspace).write("lib/src/new.py", "git looks at nothing here\n")
    inside(workspace).write("lib/top.txt", "x")
    nested = saved(parent, workspace)
    assert any("lib is the folder of a submodule" in line for line in nested.warnings)
    (tmp_path / "ready").mkdir()
    places = bring_nested(discover(parent.top), nested.records, tmp_path / "ready")
    assert set(places) == {b"lib/src", b"lib/top.txt"}
    new = Path(os.fsdecode(places[b"lib/src"])) / "new.py"
    assert new.read_text() == "git looks at nothing here\n"


def test_a_submodule_turned_into_files_is_part_of_the_result(parent: Repo) -> None:
    workspace = opened(parent)
    agent = inside(workspace)
    agent.git("rm", "-q", "--cached", "lib")
    shutil.rmtree(workspace.path / "lib")
    agent.write("lib/vendored.py", "x")
    agent.git("add", "-A")
    nested = save_nested(discover(parent.top), workspace, [], submodules(workspace))
    assert nested.records == ()


def test_a_shallow_submodule(repo: Repo, library: Repo) -> None:
    library.commit("second")
    repo.git("submodule", "add", "-q", "--depth=1", library.top.as_uri(), "lib")
    repo.commit("with a submodule")
    workspace = opened(repo)
    inside(workspace).git("submodule", "update", "-q", "--init", "--depth=1")
    submodule = Repo(workspace.path / "lib")
    assert submodule.text("rev-list", "--count", "HEAD") == "1"
    submodule.write("app.py", "by the agent\n")
    commit = submodule.commit("by the agent")
    nested = saved(repo, workspace)
    brought(repo, nested)
    assert Repo(repo.top / "lib").git("show", f"{commit}:app.py") == b"by the agent\n"
