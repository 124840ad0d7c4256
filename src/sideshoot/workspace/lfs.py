"""What becomes of files of git-lfs in a new workspace, where that is set (`workspace.lfs`).

By default they are as with `git worktree add`: copied from the user's tree or taken from the common
store, fetched where they are not in it, and pointers where they can't be had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart, GitError

if TYPE_CHECKING:
    from sideshoot.git import Git

SKIP = "skip"
"""All of them are pointers, and nothing is fetched."""

PULL = "pull"
"""All of them are there, or the workspace is not opened."""

NO_SMUDGE = {"GIT_LFS_SKIP_SMUDGE": "1"}
"""With this git-lfs leaves pointers as they are."""


def large_files(git: Git) -> set[bytes]:
    """The paths in an index whose files git-lfs has, by the attributes."""
    return {*git.run("ls-files", "-z", ":(top,attr:filter=lfs)").lines}


def pull(git: Git) -> None:
    """Bring every large file that is a pointer yet.

    :param git: runs in the workspace, aimed at an index of what lies there.
    :raises CannotStart: one can't be had.
    """
    if not large_files(git):
        return
    try:
        git.run("lfs", "pull", timeout_s=None)
    except GitError as error:
        raise CannotStart(
            f"git-lfs could not bring every file ({error.reason}), and workspace.lfs is pull; "
            "nothing was changed"
        ) from error
    git.run("update-index", "-q", "--refresh", accept=(0, 1))


def environment(manner: str | None) -> dict[str, str]:
    """What the agent's git is told by variables."""
    return NO_SMUDGE if manner == SKIP else {}
