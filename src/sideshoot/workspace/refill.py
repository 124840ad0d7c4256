"""Put what was saved of a workspace into a new one, for an agent that goes on there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.workspace.base import Base
from sideshoot.workspace.keep import keep
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.refs import base_ref, undo_ref

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import JobId
    from sideshoot.workspace.place import Workspace


def base_again(
    repository: Repository,
    job_id: JobId,
    *,
    base: str,
    head: str | None,
    holder: Repository | None = None,
) -> Base:
    """The start of an earlier workspace as that of a new one's, held under its `base_ref`.

    :param holder: gets the ref, where it is not the user's repository.
    """
    (holder or repository).git.run("update-ref", base_ref(job_id), base)
    return Base(base, repository.tree_of(base), head, None)


def refill(workspace: Workspace, result: str) -> list[str]:
    """Bring what was captured as `result` into a workspace that was just opened with the same base.

    The job's branch is where the agent had it, and what it had not committed is not staged.

    :returns: what the user should know, one line each.
    :raises SideshootError: it can't be brought.
    """
    inside = workspace.repository
    kept = keep(inside, workspace.job_id, workspace.base, result, KeepOptions(stage=False))
    inside.git.run("update-ref", "-d", undo_ref(workspace.job_id))
    # A capture's second parent is the agent's last commit, if it made any.
    last = inside.resolve(f"{result}^2")
    if last is not None:
        workspace.agents_git.run("reset", "--quiet", "--mixed", last)
    return list(kept.warnings)
