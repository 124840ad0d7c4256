"""Workspaces that are used again, for tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sideshoot.git import discover
from sideshoot.workspace import pool
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.reopening import Reuse
from support.repos import Repo
from support.workspaces import opened, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.workspace.place import Workspace

ONE = Reuse(1)


def finished(repo: Repo, *workspaces: Workspace) -> None:
    """Remove workspaces, and wait until all that is in the pool is clean."""
    for workspace in workspaces:
        remove_workspace(discover(repo.top), workspace)
    settle(repo)


def settle(repo: Repo) -> None:
    """Wait until nothing in the pool has to be cleaned any more."""
    wait_until(lambda: all(entry.seal.exists() for entry in pool.entries(repo.common_dir)))


def held(repo: Repo) -> list[Path]:
    """The folders that wait to be used again."""
    entries = pool.entries(repo.common_dir)
    assert all(entry.seal.exists() and entry.folder.is_dir() for entry in entries)
    return [entry.folder for entry in entries]


def inode(folder: Path) -> int:
    """By which a folder is known wherever it is moved."""
    return os.lstat(folder).st_ino


def picture(workspace: Workspace) -> dict[str, Any]:
    """All by which two workspaces of one moment could differ, but for their names."""
    repo = Repo(workspace.path)
    git_dir = repo.git_dir
    assert git_dir == workspace.git_dir
    found = repo.fingerprint()
    for name in ("index file", "HEAD", "log of HEAD", "refs"):
        del found[name]
    # The `.git` files of submodules name it.
    own = b"/worktrees/" + os.fsencode(git_dir.name) + b"/"
    found["files"] = {
        path: (mode, content.replace(own, b"GIT_DIR"))
        for path, (mode, content) in found["files"].items()
    }
    return found | {
        "staged": repo.git("diff", "--cached", "--raw", "-z"),
        "ignored": repo.git("status", "--porcelain=v2", "-z", "--ignored", "-uall"),
        "flags": repo.git("ls-files", "-v", "-f", "-z"),
        "branch": repo.text("branch", "--show-current") == workspace.branch,
        "commit": repo.head(),
        "git's files": sorted(
            str(path.relative_to(git_dir))
            for path in git_dir.rglob("*")
            if "objects" not in str(path) and not path.name.startswith("sharedindex.")
        ),
        "known": repo.git(
            "ls-files", "--stage", "-z", env={"GIT_INDEX_FILE": str(workspace.private_index)}
        ),
        "clean": repo.git(
            "diff-files", "--raw", env={"GIT_INDEX_FILE": str(workspace.private_index)}
        ),
    }


def assert_as_new(repo: Repo, workspace: Workspace) -> None:
    """It is what a new one is that is opened now."""
    other = opened(repo, f"{workspace.job_id}-new")
    ours, new = picture(workspace), picture(other)
    assert [(ours[name], new[name]) for name in new if ours[name] != new[name]] == []
    remove_workspace(discover(repo.top), other)
