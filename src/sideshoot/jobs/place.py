"""The workspace of a job, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import Job
    from sideshoot.workspace.place import Workspace


def workspace_of(repository: Repository, job: Job) -> Workspace | None:
    """The workspace that a job's record names, whether or not it is there; `None` if it names none."""
    from sideshoot.workspace.place import Workspace  # noqa: PLC0415 - not to look at a record

    if job.worktree is None or job.git_dir is None or job.branch is None or job.base is None:
        return None
    return Workspace(
        job_id=job.id,
        path=Path(job.worktree),
        git_dir=Path(job.git_dir),
        common_dir=repository.common_dir,
        object_format=repository.object_format,
        branch=job.branch,
        head=job.head,
        base=job.base,
        version=repository.version,
    )


NO_WORKSPACE: dict[str, Any] = {"worktree": None, "git_dir": None, "branch": None, "opened": False}
"""What a record says once the workspace has gone."""
