"""Where a job belongs: its workspace, and the working tree that its work is for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.jobs.folder import JobFolder
from sideshoot.model import Copy

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job
    from sideshoot.workspace.place import Workspace

NO_WORKSPACE: dict[str, Any] = {"worktree": None, "git_dir": None, "branch": None, "opened": False}
"""What a record says once the workspace has gone."""


def workspace_of(repository: Repository, job: Job) -> Workspace | None:
    """The workspace that a job's record names, whether or not it is there; `None` if it names none.

    Where the user has moved the repository since, with the workspace in it, it is the moved one.
    """
    from sideshoot.workspace.place import Workspace  # noqa: PLC0415 - not to look at a record

    if job.worktree is None or job.git_dir is None or job.branch is None or job.base is None:
        return None
    entries = Path(job.git_dir).parent
    linked = Workspace(
        job_id=job.id,
        path=_moved(Path(job.worktree), entries.parent, repository.common_dir),
        git_dir=repository.common_dir / entries.name / Path(job.git_dir).name,
        common_dir=repository.common_dir,
        object_format=repository.object_format,
        branch=job.branch,
        head=job.head,
        base=job.base,
        version=repository.version,
    )
    return _as_clone(repository, job, linked) if job.request.copy is Copy.CLONE else linked


def seen_from(repository: Repository, store: Store, job: Job) -> Repository:
    """The repository as one that has a job's work, which may lie in a quarantine; only to look at it.

    What a job that went on has done lies with the last one of the row.
    """
    apart = _apart(store, job)
    if apart is None:
        return repository
    from sideshoot.workspace.quarantine import seeing  # noqa: PLC0415 - only for a clone

    return seeing(repository, apart)


def holder_of(repository: Repository, store: Store, job: Job) -> Repository:
    """The repository whose refs hold a job's work."""
    apart = _apart(store, job)
    if apart is None:
        return repository
    from sideshoot.workspace.quarantine import quarantine_of  # noqa: PLC0415 - only for a clone

    return quarantine_of(repository, apart)


def brought_home(repository: Repository, store: Store, job: Job) -> Repository:
    """The repository with a job's work in it, for who writes with it; from a quarantine it is copied.

    :raises WrongState: it can't be copied.
    """
    holder = holder_of(repository, store, job)
    if holder is repository:
        return repository
    from sideshoot.errors import GitError, WrongState  # noqa: PLC0415 - only for a clone
    from sideshoot.workspace.quarantine import bring_home  # noqa: PLC0415

    try:
        bring_home(repository, holder, job.id, job.head)
    except GitError as error:
        raise WrongState(
            f"the work of job {job.id} can't be copied into your repository: {error.reason}"
        ) from error
    return repository


def _apart(store: Store, job: Job) -> Path | None:
    """The folder of the job whose quarantine has the work; `None` if that is in the repository itself.

    It is the job that has the workspace, or had it last.
    """
    if job.request.copy is not Copy.CLONE:
        return None
    while job.continued_by is not None:
        job = store.get(job.continued_by)
    folder = JobFolder(store.state_dir, job.id)
    return folder.top if folder.quarantine.is_dir() else None


def home_of(repository: Repository, job: Job) -> Repository:
    """The working tree that a job's work is for, seen from any working tree of the repository.

    :raises WrongState: it is gone, and we are in the job's workspace instead.
    """
    from sideshoot.errors import NotARepository, WrongState  # noqa: PLC0415 - as below
    from sideshoot.git import discover  # noqa: PLC0415 - only where something is decided

    if str(repository.top) == job.target:
        return repository
    try:
        home = discover(Path(job.target))
    except NotARepository:
        home = None
    if home is not None and home.common_dir == repository.common_dir:
        return home
    workspace = workspace_of(repository, job)
    if workspace is not None and workspace.git_dir == repository.git_dir:
        raise WrongState(
            f"the working tree {job.target} that job {job.id} is for is gone; run this in another one"
        )
    return repository


def _as_clone(repository: Repository, job: Job, linked: Workspace) -> Workspace:
    from sideshoot.workspace.quarantine import clone_in, quarantine_in  # noqa: PLC0415

    # The record names PLACE/.git/sideshoot/jobs/JOB/clone; the work may have passed to another job.
    old_common = Path(job.git_dir or "").parents[3]
    folder = JobFolder(repository.state_dir, job.id).top
    return replace(
        linked,
        path=_moved(Path(job.worktree or ""), old_common, repository.common_dir),
        git_dir=clone_in(folder),
        common_dir=quarantine_in(folder),
        users_dir=repository.common_dir,
    )


def _moved(path: Path, old_common: Path, common: Path) -> Path:
    old_root = old_common.parent
    if old_common == common or not path.is_relative_to(old_root):
        return path
    return common.parent / path.relative_to(old_root)
