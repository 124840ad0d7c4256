"""What every other test stands on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.hostile import SETTINGS, Setting
from support.repos import SYMLINK, Repo, as_git_sees

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_test_sees_nothing_of_the_callers_git(home: Path, repo: Repo) -> None:
    origins = repo.text("config", "--list", "--show-origin", "--name-only").splitlines()
    files = {line.split("\t")[0] for line in origins}
    assert files <= {f"file:{home}/.gitconfig", "file:.git/config", "command line:"}
    assert os.environ["HOME"] == str(home)


def test_tree_index_and_commit_agree_on_a_fresh_repository(repo: Repo) -> None:
    repo.write(b"caf\xe9", b"\x00\xff", mode=0o755)
    repo.link("link", "app.py")
    repo.commit()
    tree = as_git_sees(repo.tree())
    assert tree == repo.staged() == repo.committed("HEAD")
    assert tree[b"caf\xe9"] == (0o100755, b"\x00\xff")
    assert tree[b"link"] == (SYMLINK, b"app.py")


CHANGES: dict[str, Callable[[Repo], object]] = {
    "contents": lambda repo: repo.write("app.py", "other\n"),
    "mode": lambda repo: repo.chmod("app.py", 0o600),
    "new file": lambda repo: repo.write("new", ""),
    "empty folder": lambda repo: repo.place("empty").mkdir(),
    "deleted": lambda repo: repo.remove("src"),
    "staged": lambda repo: repo.git("rm", "-q", "--cached", "app.py"),
    "flag": lambda repo: repo.git("update-index", "--assume-unchanged", "app.py"),
    "branch": lambda repo: repo.git("branch", "other"),
    "tag": lambda repo: repo.git("tag", "v1"),
    "commit": lambda repo: repo.git("commit", "-q", "--allow-empty", "-m", "x"),
    "HEAD": lambda repo: repo.git("checkout", "-q", "--detach"),
    "stash": lambda repo: repo.git("update-ref", "--create-reflog", "refs/stash", "HEAD"),
    "config": lambda repo: repo.git("config", "a.b", "c"),
    "hook": lambda repo: repo.write(".git/hooks/pre-commit", "#!/bin/sh\n", mode=0o755),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_fingerprint_sees(change: str, repo: Repo) -> None:
    before = repo.fingerprint()
    assert repo.fingerprint() == before
    CHANGES[change](repo)
    assert repo.fingerprint() != before


def test_a_fingerprint_leaves_out_what_is_ours(repo: Repo) -> None:
    repo.write(".git/info/exclude", "/.worktrees/\n")
    before = repo.fingerprint()
    repo.git("update-ref", "refs/sideshoot/abc/base", "HEAD")
    repo.git("worktree", "add", "-q", "-b", "sideshoot/abc", ".worktrees/abc")
    assert repo.fingerprint() == before
    assert set(repo.our_refs()) == {"refs/sideshoot/abc/base", "refs/heads/sideshoot/abc"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_hostile_setting_does_not_blind_the_test(
    setting: Setting, repo: Repo, tools: Path
) -> None:
    setting.install(tools)
    repo.write("new.txt", "new\n")
    assert repo.status() == b"? new.txt\0"
    repo.commit()
    assert repo.staged() == as_git_sees(repo.tree())
