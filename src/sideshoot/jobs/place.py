"""Where a job belongs: its workspace, and the working tree that its work is for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sideshoot.git import Repository
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
    return Workspace(
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


def _moved(path: Path, old_common: Path, common: Path) -> Path:
    old_root = old_common.parent
    if old_common == common or not path.is_relative_to(old_root):
        return path
    return common.parent / path.relative_to(old_root)
