"""Go on in the workspace of an earlier job.

The workspace passes from the earlier job to the new one, which then holds the work of both: it has
the same base, so that what is kept of it is all that was done since. The earlier job keeps its own
result and is decided together with the one that went on.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from sideshoot.errors import JobNotFound, WrongState
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.place import NO_WORKSPACE, brought_home, workspace_of
from sideshoot.lock import locked
from sideshoot.model import Copy, Decision, Isolation, Job, State
from sideshoot.workspace.refs import result_ref

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store

UNDECIDED = (Decision.OPEN, Decision.PARTLY_KEPT)


def adopt(repository: Repository, store: Store, job: Job) -> Job | None:
    """Take over the workspace of the job that `job` goes on with; `None` if it can't be had.

    It can't if there is no such job, if it was kept or discarded, or if its folder is gone.

    :raises WrongState: another job took it over a moment ago.
    :raises Busy: somebody decides on it all the while.
    """
    if job.request.resume is None or job.request.isolation is not Isolation.WORKTREE:
        return None
    folder = JobFolder(store.state_dir, job.request.resume)
    if not folder.top.is_dir():
        return None
    with locked(folder.decision_lock):
        earlier = store.get(job.request.resume)
        if earlier.continued_by is not None:
            raise WrongState(
                f"job {earlier.id} goes on as {earlier.continued_by} since a moment ago; "
                f"`sideshoot run --resume {earlier.continued_by}` goes on after that"
            )
        if not is_open(repository, earlier):
            return None
        return _handed_over(repository, store, earlier, job)


def without_workspace(repository: Repository, store: Store, job: Job) -> Job | None:
    """The job that `job` goes on with, if its work waits for a decision and its workspace has gone.

    So it is after a `restore`, and where somebody has deleted the folder.
    """
    if job.request.resume is None or job.request.isolation is not Isolation.WORKTREE:
        return None
    try:
        earlier = store.get(job.request.resume)
    except JobNotFound:
        return None
    waits = earlier.state is State.FINISHED and earlier.decision in UNDECIDED
    copied = earlier.request.isolation is Isolation.WORKTREE and earlier.continued_by is None
    complete = earlier.base is not None and earlier.result is not None
    if not (waits and copied and complete):
        return None
    home = brought_home(repository, store, earlier)
    return earlier if home.ref(result_ref(earlier.id)) is not None else None


def take_over(store: Store, earlier: Job, job: Job) -> Job:
    """Let `job`, in whose workspace the work of the earlier one is now, be decided for both.

    :raises WrongState: somebody decided on it meanwhile.
    :raises Busy: somebody decides on it all the while.
    """
    with locked(JobFolder(store.state_dir, earlier.id).decision_lock):
        return _passed_on(store, earlier, job)


def is_open(repository: Repository, job: Job) -> bool:
    """Whether the workspace is there and nothing was decided that ends it."""
    workspace = workspace_of(repository, job)
    return (
        job.state is State.FINISHED
        and job.decision in UNDECIDED
        and job.opened
        and workspace is not None
        and workspace.path.is_dir()
    )


def earlier_jobs(store: Store, job: Job) -> list[Job]:
    """The jobs whose work is in this one's workspace as well, the latest first."""
    found: list[Job] = []
    resumed = job.request.resume
    while resumed is not None:
        try:
            earlier = store.get(resumed)
        except JobNotFound:
            break
        if earlier.continued_by != (found[-1].id if found else job.id):
            break
        found.append(earlier)
        resumed = earlier.request.resume
    return found


def finish_handover(repository: Repository, store: Store, job: Job) -> None:
    """The part of the handover that lies in files; can be repeated."""
    claims = repository.state_dir / "workspaces"
    for earlier in earlier_jobs(store, job):
        with contextlib.suppress(OSError):
            (claims / earlier.id).rename(claims / job.id)
        if job.request.copy is Copy.CLONE:
            _hand_over_clone(repository, earlier, job)


def _hand_over_clone(repository: Repository, earlier: Job, job: Job) -> None:
    from sideshoot.workspace import quarantine  # noqa: PLC0415 - only for a clone
    from sideshoot.workspace.clone_setup import lead_to  # noqa: PLC0415
    from sideshoot.workspace.refs import base_ref  # noqa: PLC0415

    theirs, ours = (
        JobFolder(repository.state_dir, earlier.id),
        JobFolder(repository.state_dir, job.id),
    )
    for name in (quarantine.CLONE, quarantine.QUARANTINE):
        with contextlib.suppress(OSError):
            (theirs.top / name).rename(ours.top / name)
    workspace = workspace_of(repository, job)
    if workspace is not None and workspace.common_dir.is_dir():
        workspace.holder.git.run("update-ref", base_ref(job.id), workspace.base)
        lead_to(workspace)


def _handed_over(repository: Repository, store: Store, earlier: Job, job: Job) -> Job:
    from sideshoot.workspace.refs import base_ref, borrowed_ref  # noqa: PLC0415 - a job goes on

    assert earlier.base is not None
    if job.request.copy is not Copy.CLONE:
        repository.git.run("update-ref", base_ref(job.id), earlier.base)
    elif earlier.head is not None:
        repository.git.run("update-ref", borrowed_ref(job.id), earlier.head)
    taken = _passed_on(
        store,
        earlier,
        job,
        worktree=earlier.worktree,
        git_dir=earlier.git_dir,
        branch=earlier.branch,
        head=earlier.head,
        base=earlier.base,
    )
    finish_handover(repository, store, taken)
    return taken


def _passed_on(store: Store, earlier: Job, job: Job, **place: Any) -> Job:
    """Write into both records that the later one holds the work of both.

    :param place: what the later one's says of its workspace, if it does not yet.
    """
    with store.transaction():
        store.update(
            earlier.id,
            expect=State.FINISHED,
            decision_expect=UNDECIDED,
            continued_by=job.id,
            **NO_WORKSPACE,
        )
        return store.update(
            job.id,
            expect=State.RUNNING,
            decision=earlier.decision,
            kept_paths=earlier.kept_paths,
            opened=True,
            result=earlier.result,
            **place,
        )
