"""A workspace has the submodules that the user has, without network, and the user's stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.model import JobId
from sideshoot.workspace.base import make_base
from sideshoot.workspace.capture import capture
from sideshoot.workspace.ignored import list_ignored
from sideshoot.workspace.opening import open_workspace, plan_workspace
from support.repos import FILES, Repo
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> Repo:
    """What is a submodule of others; each test moves it away, so that nothing can be fetched."""
    return Repo.create(tmp_path / "library")


@pytest.fixture
def parent(repo: Repo, library: Repo, tmp_path: Path) -> Repo:
    """A repository with a submodule in a submodule, set up in the user's tree; its sources are gone."""
    middle = Repo.create(tmp_path / "middle")
    middle.git("submodule", "add", "-q", "--name", "in ner", str(library.top), "deep/lib")
    middle.commit("with a submodule")
    repo.git("submodule", "add", "-q", "--name", "some/name", str(middle.top), "mid")
    repo.git("submodule", "update", "-q", "--init", "--recursive")
    repo.commit("with submodules")
    for source in (library, middle):
        source.top.rename(source.top.with_name(f"{source.top.name} is gone"))
    return repo


def notes_of(repo: Repo) -> list[str]:
    repository = discover(repo.top)
    base = make_base(repository, JobId(JOB))
    return open_workspace(repository, plan_workspace(repository, JobId(JOB), base), base)


def workspace_of(repo: Repo) -> Repo:
    return Repo(repo.top / ".worktrees" / JOB)


def test_submodules_are_there_as_git_knows_them(parent: Repo) -> None:
    theirs = [parent.fingerprint(), Repo(parent.top / "mid").fingerprint()]
    there = inside(opened(parent))
    assert there.read("mid/deep/lib/app.py") == FILES["app.py"].encode()
    assert there.git("status", "--porcelain") == b""
    lines = there.text("submodule", "status", "--recursive").splitlines()
    assert [line[0] for line in lines] == [" ", " "] or [line[0] for line in lines] == ["", ""]
    assert [line.split()[1] for line in lines] == ["mid", "mid/deep/lib"]
    assert there.git("submodule", "update", "--init", "--recursive") == b""
    assert there.text("-C", "mid", "remote", "get-url", "origin").endswith("middle")
    assert there.text("-C", "mid", "branch", "-r", "--format=%(refname)").splitlines() == [
        "refs/remotes/origin/main"
    ]
    assert Repo(parent.top / "mid").fingerprint() == theirs[1]
    assert parent.fingerprint() == theirs[0]


def test_nothing_is_found_where_nothing_was_done(parent: Repo) -> None:
    workspace = opened(parent)
    captured = capture(discover(parent.top), workspace)
    assert captured.tree == parent.text("rev-parse", "HEAD^{tree}")
    assert captured.warnings == ()
    assert list_ignored(workspace).count == 0


def test_the_agent_s_objects_and_branches_are_its_own(parent: Repo) -> None:
    users = Repo(parent.top / "mid/deep/lib")
    before = users.fingerprint()
    submodule = Repo(opened(parent).path / "mid/deep/lib")
    submodule.git("checkout", "-q", "-b", "agent")
    submodule.write("app.py", "by the agent\n")
    commit = submodule.commit("by the agent")
    assert users.fingerprint() == before
    users.git("cat-file", "-e", commit, accept=(1, 128))


def test_what_does_not_come_along_is_told(parent: Repo) -> None:
    Repo(parent.top / "mid").write("app.py", "not committed\n")
    assert notes_of(parent) == [
        "what you have not committed in the submodule mid is not in the workspace"
    ]


def test_another_commit_than_the_index_has_is_told(parent: Repo) -> None:
    users = Repo(parent.top / "mid")
    before = users.head()
    now = users.commit("not added above")
    (note,) = notes_of(parent)
    assert note == (
        f"the submodule mid is at {now[:10]} with you, and in the workspace at {before[:10]}, which "
        "is what your index has"
    )
    assert Repo(workspace_of(parent).top / "mid").head() == before


def test_a_commit_that_the_user_lacks_leaves_it_empty(parent: Repo) -> None:
    lacking = "1" * 40
    parent.git("update-index", "--cacheinfo", f"160000,{lacking},mid")
    parent.git("commit", "-qm", "ahead")
    (note,) = notes_of(parent)
    assert note == (
        "the submodule mid is empty in the workspace: your copy of it lacks the commit 1111111111; "
        "`git submodule update` here gets it"
    )
    assert [*(workspace_of(parent).top / "mid").iterdir()] == []


def test_one_that_is_not_set_up_stays_empty(parent: Repo) -> None:
    parent.git("submodule", "deinit", "-q", "-f", "mid")
    assert notes_of(parent) == []
    assert [*(workspace_of(parent).top / "mid").iterdir()] == []


def test_one_with_its_repository_inside(repo: Repo, library: Repo) -> None:
    repo.git("clone", "-q", str(library.top), "lib")
    repo.git("submodule", "add", "-q", str(library.top), "lib")
    repo.commit("with a submodule")
    assert (repo.top / "lib/.git").is_dir()
    there = inside(opened(repo))
    assert there.read("lib/app.py") == FILES["app.py"].encode()
    assert there.git("status", "--porcelain") == b""


def test_a_shallow_one(repo: Repo, library: Repo) -> None:
    library.commit("second")
    repo.git("submodule", "add", "-q", "--depth", "1", f"file://{library.top}", "lib")
    repo.commit("with a submodule")
    there = Repo(opened(repo).path / "lib")
    assert there.text("log", "--format=%s").splitlines() == ["second"]
    there.git("fsck", "--connectivity-only")
