"""Take a workspace away: at once for the user, whatever state it is in, and only what is ours.

The steps can be repeated, and each copes with what a crash left of the one before:

1. the folder is renamed to trash beside it, or into the pool;
2. its git directory is renamed to trash in the state directory;
3. the job's branch goes, if no working tree has it; commits on it stay under a ref;
4. a detached process deletes the trash.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, SideshootError
from sideshoot.text import show_path
from sideshoot.workspace.folders import made_for
from sideshoot.workspace.mounts import mounts
from sideshoot.workspace.pool import is_any_to_clean, offer, spawn_cleaning
from sideshoot.workspace.refs import branch_ref
from sideshoot.workspace.registration import is_registered, moved_to
from sideshoot.workspace.steps import reached
from sideshoot.workspace.trash import put_into_trash, spawn_trash_removal

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace


def remove_workspace(repository: Repository, workspace: Workspace) -> None:
    """Remove a workspace that was opened, or only begun; a second call finds nothing to do.

    :param repository: any working tree of the repository but the workspace itself.
    :raises SideshootError: it can't be moved away; nothing of it was deleted.
    """
    remove_folder(workspace)
    reached("discard.renamed")
    remove_registration(workspace)
    reached("discard.unregistered")
    if workspace.claim.is_dir() and not workspace.is_clone:
        remove_branch(repository, workspace)
    shutil.rmtree(workspace.claim, ignore_errors=True)
    empty_soon(repository, workspace)


def remove_folder(workspace: Workspace) -> None:
    """Move the workspace's folder to the trash, if it is ours."""
    elsewhere = moved_to(workspace)
    if elsewhere is not None:
        raise SideshootError(
            f"the workspace was moved to {show_path(elsewhere)}, nothing was removed; "
            f"`git worktree remove --force --force {show_path(elsewhere)}` removes it"
        )
    path = workspace.path
    if not workspace.claim.is_dir():
        _remove_what_a_crash_left(path)
    elif os.path.lexists(path):
        _refuse_mounts(path)
        try:
            if not offer(workspace):
                put_into_trash(path)
        except OSError as error:
            raise _stays(path, error) from None


def remove_registration(workspace: Workspace) -> None:
    """Make git forget the workspace, locked or not, if it is ours."""
    if not is_registered(workspace):
        return
    state_dir = workspace.state_dir
    try:
        state_dir.mkdir(exist_ok=True)
        put_into_trash(workspace.git_dir, state_dir)
    except OSError as error:
        raise _stays(workspace.git_dir, error) from None
    with contextlib.suppress(OSError):
        workspace.git_dir.parent.rmdir()


def empty_soon(repository: Repository, workspace: Workspace) -> None:
    """Have the trash deleted that the removal of a workspace leaves, and its folder cleaned if it is
    to be used again."""
    folder = workspace.path.parent
    if is_any_to_clean(repository.common_dir):
        spawn_cleaning(repository, folder)
        return
    spawn_trash_removal(folder, repository.state_dir, made=made_for(repository, folder))


def remove_branch(repository: Repository, workspace: Workspace) -> None:
    """Delete the job's branch, unless another working tree has it checked out.

    A commit that only this branch has stays under a ref of the job's.
    """
    answer = repository.git.run(
        "for-each-ref", "--format=%(objectname) %(worktreepath)", workspace.branch_ref
    ).stdout.rstrip(b"\n")
    tip, _, checked_out = answer.partition(b" ")
    if not tip or checked_out not in (b"", os.fsencode(workspace.path)):
        return
    commands = [f"delete {workspace.branch_ref} {tip.decode()}"]
    if tip.decode() != workspace.head:
        commands.append(f"update {branch_ref(workspace.job_id)} {tip.decode()}")
    with contextlib.suppress(GitError):  # It moved just now: somebody still uses it.
        repository.git.run("update-ref", "--stdin", stdin="\n".join(commands).encode() + b"\n")


def _remove_what_a_crash_left(path: Path) -> None:
    # A folder without a claim is ours if it was made just before the crash, and then it is empty.
    with contextlib.suppress(OSError):
        path.rmdir()


def _refuse_mounts(path: Path) -> None:
    inside = os.fsencode(path.resolve())
    for point in [mount.point for mount in mounts()]:
        if point == inside or point.startswith(inside + b"/"):
            raise SideshootError(
                f"a file system is mounted at {show_path(point)}, nothing was removed; "
                "unmount it and run this again"
            )


def _stays(path: Path, error: OSError) -> SideshootError:
    why = "it is on another file system" if error.errno == errno.EXDEV else error.strerror
    return SideshootError(f"can't remove {show_path(path)}: {why}; nothing of it was deleted")
