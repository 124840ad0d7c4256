"""Save what an agent left, once it has ended; the same for a worker and for who recovers its job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sideshoot.errors import GitError, SideshootError
from sideshoot.git.trees import differences
from sideshoot.jobs.inplace import snapshot_in_place
from sideshoot.jobs.place import NO_WORKSPACE, workspace_of
from sideshoot.model import Decision, Isolation, Job
from sideshoot.text import show_path
from sideshoot.workspace import guard as guards
from sideshoot.workspace.capture import capture
from sideshoot.workspace.ignored import list_ignored
from sideshoot.workspace.refs import result_ref
from sideshoot.workspace.removal import remove_workspace

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.jobs.folder import JobFolder
    from sideshoot.jobs.store import Store
    from sideshoot.workspace.guard import Guard
    from sideshoot.workspace.ignored import Ignored
    from sideshoot.workspace.place import Workspace


@dataclass
class Saved:
    """What was saved of a job, as facts for its record."""

    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    """Why the work could not be saved; it still lies where it was."""


def save(repository: Repository, folder: JobFolder, job: Job) -> Saved:
    """Save the work of a job, and look at what it did to the user's side of the repository.

    May be repeated. What goes wrong is told in the answer.
    """
    saved = Saved()
    guard = _guard(folder, saved)
    if guard is not None:
        # Before git is asked anything: the agent may have broken its configuration.
        saved.warnings += guards.repair_configuration(repository, guard, folder=folder.top)
    workspace = workspace_of(repository, job)
    try:
        if workspace is not None and job.opened:
            _save_workspace(repository, workspace, saved)
            if job.request.isolation is Isolation.READ_ONLY:
                _settle_look(repository, job, workspace, saved)
        elif workspace is None and job.base is not None:
            _save_in_place(repository, job, saved)
    except SideshootError as error:
        saved.error = str(error)
    if guard is not None:
        saved.warnings += guards.compare(repository, guard, folder=folder.top)
    return saved


def _guard(folder: JobFolder, saved: Saved) -> Guard | None:
    try:
        return guards.Guard.load(folder.guard)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        saved.warnings.append(f"can't tell whether your branches changed while it ran: {error}")
        return None


def _save_workspace(repository: Repository, workspace: Workspace, saved: Saved) -> None:
    captured = capture(repository, workspace)
    saved.facts["result"] = captured.commit
    saved.warnings += captured.warnings
    try:
        ignored = _ignored(workspace, captured.commit)
    except (GitError, OSError) as error:
        saved.warnings.append(f"can't list what the agent left among ignored files: {error}")
        return
    saved.facts["ignored_count"] = ignored.count
    saved.facts["ignored_paths"] = tuple(map(show_path, ignored.paths))


def _settle_look(repository: Repository, job: Job, workspace: Workspace, saved: Saved) -> None:
    """A copy that was there to look at may go; what was written in it all the same is held."""
    result = saved.facts["result"]
    if repository.tree_of(result) == repository.tree_of(workspace.base):
        saved.facts["result"] = None
        repository.git.run("update-ref", "-d", result_ref(job.id))
    else:
        saved.warnings.append(
            "it wrote files in the copy that it was only to look at; "
            f"`git diff {workspace.base} {result}` shows them"
        )
    saved.facts["decision"] = Decision.DISCARDED


def drop_copy(repository: Repository, store: Store, job: Job) -> Job:
    """Take away the copy that a finished job was to look at; return the job as it is then.

    Where that fails, or the process dies, `recover` does it: the job is recorded as discarded.
    """
    workspace = workspace_of(repository, job)
    is_due = job.request.isolation is Isolation.READ_ONLY and job.decision is Decision.DISCARDED
    if workspace is None or not is_due:
        return job
    remove_workspace(repository, workspace)
    return store.update(job.id, **NO_WORKSPACE)


def _ignored(workspace: Workspace, result: str) -> Ignored:
    found = list_ignored(workspace)
    if not found.count:
        return found
    # What the agent put into its index all the same is in the result.
    deltas = differences(workspace.holder.git, workspace.base, result)
    return list_ignored(workspace, saved={delta.path for delta in deltas})


def _save_in_place(repository: Repository, job: Job, saved: Saved) -> None:
    assert job.base is not None
    result = snapshot_in_place(repository, job.id, job.base)
    if result is None:
        return
    # The work is where the user wants it already.
    saved.facts |= {"result": result, "decision": Decision.KEPT}
    if job.request.isolation is Isolation.READ_ONLY:
        saved.warnings.append(
            "files in your tree changed while it looked, by you or by it; "
            f"`git diff {job.base} {result}` shows them"
        )
