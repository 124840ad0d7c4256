"""What an agent finds in a quarantined clone, and what it can't do from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.model import Carry
from support.repos import Repo
from support.workspaces import cloned, inside

if TYPE_CHECKING:
    from pathlib import Path


def test_it_has_what_the_user_has(repo: Repo) -> None:
    repo.write("README.md", "# staged\n")
    repo.git("add", "README.md")
    repo.write("app.py", "mine\n")
    repo.write("notes", "mine, untracked\n")
    agent = inside(cloned(repo))
    assert agent.tree() == repo.tree()
    assert agent.staged() == repo.staged()
    assert agent.status() == repo.status()
    assert agent.text("rev-parse", "HEAD") == repo.head()
    assert agent.text("branch", "--show-current") == "sideshoot/k3f9"


def test_its_git_directory_is_its_own(repo: Repo) -> None:
    workspace = cloned(repo)
    assert inside(workspace).common_dir == workspace.git_dir
    assert "worktrees" not in {path.name for path in repo.common_dir.iterdir()}
    assert repo.text("worktree", "list", "--porcelain").count("worktree ") == 1


def test_it_knows_branches_tags_and_remotes_but_no_stash(repo: Repo, tmp_path: Path) -> None:
    upstream = Repo.create(tmp_path / "upstream")
    repo.git("remote", "add", "origin", str(upstream.top))
    repo.git("fetch", "-q", "origin")
    repo.git("remote", "set-head", "origin", "main")
    repo.git("branch", "feature")
    repo.git("tag", "-am", "words", "v1")
    repo.write("app.py", "put away\n")
    repo.git("stash")
    names = inside(cloned(repo)).text("for-each-ref", "--format=%(refname) %(objectname) %(symref)")
    known = repo.text("for-each-ref", "--format=%(refname) %(objectname) %(symref)").splitlines()
    hidden = ("refs/stash", "refs/sideshoot")
    wanted = [line for line in known if not line.startswith(hidden)]
    ours = [line for line in names.splitlines() if "refs/heads/sideshoot" not in line]
    assert ours == wanted
    assert inside(cloned(repo, "m2")).git("stash", "list") == b""


def test_a_push_from_it_goes_nowhere(repo: Repo, tmp_path: Path) -> None:
    upstream = tmp_path / "upstream.git"
    repo.git("clone", "-q", "--bare", ".", str(upstream))
    repo.git("remote", "add", "origin", str(upstream))
    repo.git("config", "remote.origin.pushurl", str(upstream))
    repo.git("config", "push.default", "current")
    agent = inside(cloned(repo))
    agent.commit("the agent's")
    agent.git("push", "origin", "HEAD:main", accept=(128,))
    agent.git("push", accept=(128,))
    assert Repo(upstream).text("rev-parse", "main") == repo.head()
    assert agent.text("config", "remote.origin.url") == str(upstream)


def test_the_users_settings_hold_but_for_those_of_their_git_directory(repo: Repo) -> None:
    odd = 'a "b" \\c\t#;'
    included = repo.common_dir / "more"
    included.write_text("[user]\n\tname = Included\n")
    repo.git("config", "include.path", "more")
    repo.git("config", "alias.odd", odd)
    repo.git("config", 'branch.a"b\\c.d.description', "x")
    repo.git("config", "core.hooksPath", "hooks")
    repo.git("config", "gc.auto", "1")
    repo.git("config", "core.fsmonitor", "true")
    agent = inside(cloned(repo))
    assert agent.text("config", "user.name") == "Included"
    assert agent.git("config", "alias.odd") == odd.encode() + b"\n"
    assert agent.text("config", 'branch.a"b\\c.d.description') == "x"
    assert agent.text("config", "core.hooksPath") == "/dev/null"
    assert agent.text("config", "--local", "--get-all", "gc.auto") == "0"
    assert agent.git("config", "--local", "core.fsmonitor", accept=(1,)) == b""


def test_hooks_of_the_user_do_not_run(repo: Repo, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hook = repo.common_dir / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    inside(cloned(repo)).commit("the agent's")
    assert not ran.exists()


def test_what_the_user_ignores_and_says_of_files_holds(repo: Repo) -> None:
    info = repo.common_dir / "info"
    info.mkdir(exist_ok=True)
    (info / "exclude").write_text("*.log")
    (info / "attributes").write_text("*.txt eol=crlf\n")
    agent = inside(cloned(repo))
    agent.write("x.log", "")
    assert agent.status() == repo.status()
    assert agent.text("check-attr", "eol", "a.txt").endswith("crlf")


@pytest.mark.parametrize("kind", ["main", "linked"])
def test_a_sparse_checkout_is_inherited(kind: str, repo: Repo, tmp_path: Path) -> None:
    top = repo
    if kind == "linked":
        repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
        top = Repo(tmp_path / "linked")
    top.git("sparse-checkout", "set", "--no-cone", "/docs/")
    agent = inside(cloned(top))
    assert agent.tree() == top.tree()
    assert agent.status() == top.status() == b""


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "garden", options=["--object-format=sha256"])
    agent = inside(cloned(repo))
    assert agent.text("rev-parse", "--show-object-format") == "sha256"
    assert len(agent.commit("the agent's")) == 64


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "garden", {})
    repo.write("first", "mine\n")
    repo.git("add", "first")
    workspace = cloned(repo)
    agent = inside(workspace)
    assert agent.tree() == repo.tree()
    assert agent.staged() == repo.staged()
    repo.git("rm", "-q", "--cached", "first")
    repo.git("gc", "-q", "--prune=now")
    agent.commit("the agent's")
    agent.git("fsck")


@pytest.mark.parametrize("kind", ["absolute", "relative", "in a row"])
def test_a_repository_that_borrows_objects_itself(kind: str, repo: Repo, tmp_path: Path) -> None:
    borrower = tmp_path / "borrower"
    repo.git("clone", "-q", "--shared", ".", str(borrower))
    if kind == "relative":
        alternates = borrower / ".git" / "objects" / "info" / "alternates"
        alternates.write_text("../../../garden/.git/objects\n")
    for number in range(3 if kind == "in a row" else 0):
        nearer = tmp_path / f"borrower{number}"
        repo.git("clone", "-q", "--shared", str(borrower), str(nearer))
        borrower = nearer
    agent = inside(cloned(Repo(borrower)))
    assert agent.read("app.py") == repo.read("app.py")
    agent.git("fsck")
    agent.commit("the agent's")


def test_a_shallow_repository(repo: Repo, tmp_path: Path) -> None:
    repo.commit("second")
    shallow = Repo(tmp_path / "shallow")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.top}", str(shallow.top))
    agent = inside(cloned(shallow))
    assert agent.text("rev-list", "--count", "HEAD") == "1"
    agent.git("fsck")


def test_a_partial_clone_fetches_what_it_needs(repo: Repo, tmp_path: Path) -> None:
    first = repo.head()
    repo.write("app.py", "second\n")
    repo.commit("second")
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = Repo(tmp_path / "partial")
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.top}", str(partial.top))
    agent = inside(cloned(partial, carry=Carry.NONE))
    assert agent.git("show", f"{first}:app.py") == repo.git("show", f"{first}:app.py")


def test_a_moved_repository_still_lends_its_objects(repo: Repo, tmp_path: Path) -> None:
    workspace = cloned(repo)
    moved = repo.top.rename(tmp_path / "moved")
    at = moved / workspace.git_dir.relative_to(repo.top)
    text = Repo(moved).text("--git-dir", str(at), "show", "HEAD:app.py")
    assert text.encode() == (moved / "app.py").read_bytes().rstrip(b"\n")


def test_garbage_can_be_collected_in_it(repo: Repo) -> None:
    agent = inside(cloned(repo))
    commit = agent.commit("the agent's")
    agent.git("gc", "-q", "--prune=now")
    agent.git("fsck")
    assert agent.head() == commit
