"""Plan a workspace, and open it: all of it, or nothing.

::

    plan_workspace     names only; the job records them before anything is made
    open_workspace     folder, claim, registration, branch, files, indexes
    writable_folders   what a fenced agent must be able to write, to commit on its branch
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart, GitError
from sideshoot.text import show_path
from sideshoot.workspace.checkout import check_out
from sideshoot.workspace.clone_setup import give_index, make_clone
from sideshoot.workspace.exclude import exclude_folder
from sideshoot.workspace.folders import folder_for, note_folder
from sideshoot.workspace.included import include, write_included_index
from sideshoot.workspace.linked import link
from sideshoot.workspace.place import Workspace
from sideshoot.workspace.quarantine import clone_in, quarantine_in
from sideshoot.workspace.registration import register, verify
from sideshoot.workspace.removal import (
    empty_soon,
    remove_branch,
    remove_folder,
    remove_registration,
)
from sideshoot.workspace.reopening import NO_REUSE, Reuse, foresee, may_reopen, reopen
from sideshoot.workspace.room import refuse_without_room
from sideshoot.workspace.spreading import spread
from sideshoot.workspace.steps import reached
from sideshoot.workspace.submodule_setup import set_up_submodules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sideshoot.git import Repository
    from sideshoot.model import JobId
    from sideshoot.workspace.base import Base

__all__ = ["Workspace", "open_workspace", "plan_workspace", "verify", "writable_folders"]


def plan_workspace(
    repository: Repository,
    job_id: JobId,
    base: Base,
    *,
    directory: Path | None = None,
    apart: Path | None = None,
) -> Workspace:
    """Choose the places and the branch of a workspace; nothing is made.

    :param directory: the folder that shall hold it, relative to the top of the working tree; by
        default `.worktrees` there. A workspace for work in a workspace lies beside that one.
    :param apart: the folder that holds the quarantine, if the workspace shall be a clone.
    :raises CannotStart: the folder can't hold workspaces.
    """
    folder = folder_for(repository, directory)
    git_dirs = repository.common_dir / "worktrees"
    name = next(
        name
        for name in _names(job_id)
        if not os.path.lexists(folder / name) and not os.path.lexists(git_dirs / name)
    )
    return Workspace(
        job_id=job_id,
        path=folder / name,
        git_dir=clone_in(apart) if apart else git_dirs / name,
        common_dir=quarantine_in(apart) if apart else repository.common_dir,
        object_format=repository.object_format,
        branch=_free_branch(repository, job_id),
        head=base.head,
        base=base.commit,
        version=repository.version,
        users_dir=repository.common_dir if apart else None,
    )


def open_workspace(
    repository: Repository,
    workspace: Workspace,
    base: Base,
    *,
    link_paths: Sequence[str] = (),
    sparse: Collection[bytes] = (),
    lfs: str | None = None,
    reuse: Reuse = NO_REUSE,
) -> list[str]:
    """Make the workspace: the base's files, HEAD at the user's commit, the user's staged changes.

    :param link_paths: what it shares with the user's tree; see `sideshoot.workspace.linked`.
    :param sparse: the folders that it shall have; as the user's tree by default.
    :param lfs: what becomes of large files; see `sideshoot.workspace.lfs`.
    :param reuse: whether a finished workspace may be used for it, and this one again. Where `sparse`
        or `lfs` says what its files are, and in a clone, it may not.
    :returns: what the user should know, one line each.
    :raises CannotStart: it can't be made; what was made of it is gone again.
    """
    reuses = not (sparse or lfs or workspace.is_clone)
    if not (reuses and may_reopen(repository, reuse)):
        refuse_without_room(repository, workspace, sparse)
    try:
        note_folder(repository, workspace.path.parent)
        exclude_folder(repository, workspace.path.parent)
        with contextlib.ExitStack() as take_back:
            _claim(repository, workspace, take_back)
            known = reopen(repository, workspace, base, reuse) if reuses else None
            _register(repository, workspace, sparse, take_back)
            notes = check_out(repository, workspace, base, known, sparse=sparse, lfs=lfs)
            if reuses and not notes:
                foresee(repository, workspace, base, reuse)
            if workspace.is_clone:
                give_index(workspace)
            reached("open.filled")
            notes += set_up_submodules(repository, workspace)
            notes += _give(repository, workspace, link_paths, sparse)
            take_back.pop_all()
    except GitError as error:
        raise _not_opened(error.reason) from error
    except OSError as error:
        place = f": {show_path(error.filename)}" if error.filename else ""
        raise _not_opened(f"{error.strerror}{place}") from error
    return notes


def _give(
    repository: Repository,
    workspace: Workspace,
    link_paths: Sequence[str],
    sparse: Collection[bytes],
) -> list[str]:
    """What a project needs and git ignores."""
    given = link(repository, workspace, link_paths)
    include(repository, workspace, given, sparse)
    if given.files:
        write_included_index(workspace, given.files)
    return given.notes


def writable_folders(workspace: Workspace) -> tuple[Path, ...]:
    """The folders outside of the workspace in which git writes when the agent commits there.

    With these and no more, an agent can commit on the job's branch and can't touch another ref,
    the configuration or the hooks. They are made where they do not exist. Under reftables, all refs
    share one folder, and the agent can't commit. In a clone it has all of its git directory, and
    nothing else.
    """
    if workspace.users_dir is not None:
        lfs = workspace.users_dir / "lfs"
        return (workspace.git_dir, *filter(Path.is_dir, (lfs,)))
    common = workspace.common_dir
    folders = [workspace.git_dir, common / "objects"]
    if not (common / "reftable").is_dir():
        prefix = (common / workspace.branch_ref).parent
        folders += [prefix, common / "logs" / prefix.relative_to(common)]
    if (common / "lfs").is_dir():  # The filters of git-lfs put there what is added.
        folders.append(common / "lfs")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return tuple(folders)


def _names(job_id: str) -> Iterator[str]:
    yield job_id
    # As git numbers them itself.
    yield from (f"{job_id}{number}" for number in itertools.count(1))


def _free_branch(repository: Repository, job_id: str) -> str:
    # A branch named `sideshoot` is a file where git would need a folder. Each name lies in a folder
    # of its own, since an agent that may commit can write all of that folder.
    prefixes = ("sideshoot", "sideshoot-jobs")
    patterns = [f"refs/heads/{prefix}" for prefix in prefixes]
    answer = repository.git.run("for-each-ref", "--format=%(refname:lstrip=2)", *patterns)
    taken = set(answer.stdout.decode(errors="replace").splitlines())
    for prefix in prefixes:
        if prefix not in taken and f"{prefix}/{job_id}" not in taken:
            return f"{prefix}/{job_id}"
    raise CannotStart(
        f"a workspace needs a branch, and branches named {' and '.join(prefixes)} are in its way; "
        "rename one of them"
    )


def _claim(repository: Repository, workspace: Workspace, take_back: contextlib.ExitStack) -> None:
    _make_folder(workspace.path)
    take_back.callback(_take_back, repository, workspace)
    workspace.claim.mkdir(parents=True, exist_ok=True)


def _take_back(repository: Repository, workspace: Workspace) -> None:
    remove_folder(workspace)
    remove_registration(workspace)
    shutil.rmtree(workspace.claim, ignore_errors=True)
    empty_soon(repository, workspace)


def _make_folder(path: Path) -> None:
    try:
        _make_parent(path.parent)
        path.mkdir()
    except FileNotFoundError:  # The last workspace beside it went just now, the folder with it.
        _make_parent(path.parent)
        path.mkdir()


def _make_parent(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        spread(folder)


def _register(
    repository: Repository,
    workspace: Workspace,
    sparse: Collection[bytes],
    take_back: contextlib.ExitStack,
) -> None:
    if workspace.is_clone:
        make_clone(repository, workspace, sparse=sparse)
        reached("open.registered")
    else:
        register(repository, workspace, sparse=sparse)
        reached("open.registered")
        _make_branch(workspace, take_back)


def _make_branch(workspace: Workspace, take_back: contextlib.ExitStack) -> None:
    if workspace.head is None:
        return
    repository = workspace.repository
    repository.git.run(
        "update-ref",
        "-m",
        f"sideshoot: workspace of {workspace.job_id}",
        workspace.branch_ref,
        workspace.head,
        repository.null_id,
    )
    take_back.callback(remove_branch, repository, workspace)


def _not_opened(reason: str) -> CannotStart:
    return CannotStart(f"the workspace can't be opened: {reason}; nothing was changed")
