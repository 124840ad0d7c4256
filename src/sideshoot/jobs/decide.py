"""Decide on a finished job: keep its work, take that back, discard it, restore it.

One command at a time decides on a job; who comes second finds the decision made and says so.

What does the work is imported where it is needed: a keep begins to check its workspace before that, and
git is at it meanwhile.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sideshoot.errors import (
    Busy,
    CaptureFailed,
    JobNotFound,
    KeepRefused,
    SideshootError,
    WrongState,
)
from sideshoot.jobs import intent
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.held import workspace_went
from sideshoot.jobs.place import (
    NO_WORKSPACE,
    brought_home,
    holder_of,
    home_of,
    seen_from,
    workspace_of,
)
from sideshoot.jobs.resume import earlier_jobs
from sideshoot.lock import locked
from sideshoot.model import Decision, Isolation, Job, State
from sideshoot.text import show_path
from sideshoot.workspace.refs import result_ref, undo_ref
from sideshoot.workspace.seal import checking
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.workspace.apply import Recovered
    from sideshoot.workspace.keep import Kept
    from sideshoot.workspace.keep_options import KeepOptions
    from sideshoot.workspace.seal import Check
    from sideshoot.workspace.undo import Undone

_KEPT = (Decision.KEPT, Decision.PARTLY_KEPT)


@contextlib.contextmanager
def deciding(
    repository: Repository, store: Store, job: Job, *, timeout_s: float = 60.0
) -> Iterator[tuple[Repository, Job]]:
    """Be the one who decides on a job; gives the working tree that it is for, and the job as it is
    by then.

    :raises WrongState: it is not finished, or its work has passed to another job.
    :raises Busy: somebody else decides on it for longer than `timeout_s`.
    """
    folder = JobFolder(store.state_dir, job.id)
    folder.make()
    busy = f"another command is at work on job {job.id}; try again in a moment"
    with locked(folder.decision_lock, timeout_s, busy=busy):
        now = store.get(job.id)
        if now.state is not State.FINISHED:
            raise WrongState(
                f"job {now.id} is {now.state}; `sideshoot wait {now.id}` waits for its end"
            )
        if now.continued_by is not None:
            raise WrongState(
                f"job {now.id} goes on as {now.continued_by}, which has its work as well; decide "
                "on that one"
            )
        yield home_of(repository, now), now


def keep_job(
    repository: Repository,
    store: Store,
    job: Job,
    *,
    options: KeepOptions,
    ignored: Sequence[bytes] = (),
) -> Kept:
    """Bring a job's work, or a part of it, into the user's tree; all of what is asked, or nothing.

    Once all of it is kept the workspace goes. What was changed in the workspace since the job ended
    is part of it.

    :param ignored: ignored paths to bring as well.
    :raises WrongState: the job is running, kept already, or discarded.
    :raises KeepConflict, KeepRefused, Busy: as `sideshoot.workspace.keep.keep`; nothing was written.
    """
    with deciding(repository, store, job) as (home, found):
        _refuse_decided(found)
        fresh, kept, now = _keep_latest(home, store, found, options, ignored)
        reached("keep.decided")
        warnings = [*fresh.warnings, *kept.warnings]
        if now.decision is Decision.KEPT and not options.dry_run:
            warnings += _removed(home, store, now, fresh)
        return replace(kept, warnings=tuple(warnings))


def undo_job(repository: Repository, store: Store, job: Job) -> Undone:
    """Take the last keep of a job back; it can then be kept again.

    :raises WrongState: nothing of it was kept.
    :raises KeepConflict, Busy: as `sideshoot.workspace.undo.undo`; nothing was written.
    """
    from sideshoot.workspace.undo import Undone, undo  # noqa: PLC0415 - as said above

    with deciding(repository, store, job) as (home, now):
        _refuse_look(now)
        if now.request.isolation is not Isolation.WORKTREE and now.base is not None:
            raise WrongState(
                f"job {now.id} worked in your own tree, and nothing can be taken back as a whole; "
                f"commit {now.base} holds what was there before"
            )
        if now.decision not in _KEPT and not now.kept_paths:
            raise WrongState(f"nothing of job {now.id} was kept, so there is nothing to undo")
        goal = _undo_goal(home, now)
        with intent.intending(store.state_dir, now.id, goal):
            # Without a record the user had all of it already, so that the keep changed nothing.
            done = undo(home, now.id) if goal.undo else Undone((), more=False)
            _decided(store, now, Decision(goal.decision), kept_paths=goal.kept_paths)
        return done


def discard_job(repository: Repository, store: Store, job: Job) -> Job:
    """Drop a job: its workspace goes at once, its work is held for `restore_job`.

    :raises WrongState: it is running, kept, or discarded already.
    :raises CaptureFailed: what lies in the workspace can't be saved first; it stays.
    """
    with deciding(repository, store, job) as (home, now):
        if now.decision is Decision.KEPT:
            raise WrongState(f"job {now.id} is kept; `sideshoot undo {now.id}` takes that back")
        if now.decision is Decision.DISCARDED:
            raise WrongState(f"job {now.id} is discarded already")
        fresh = refreshed(home, store, now)
        if fresh.error is not None and fresh.is_there:
            raise fresh.error
        discarded = _decided(store, fresh.job, Decision.DISCARDED)
        reached("discard.decided")
        _remove(home, store, discarded)
        return store.get(now.id)


def restore_job(repository: Repository, store: Store, job: Job) -> Job:
    """Make a discarded job one that waits for a decision.

    :raises WrongState: it was not discarded, or its work is no longer held.
    """
    with deciding(repository, store, job) as (home, now):
        if now.decision is not Decision.DISCARDED:
            raise WrongState(f"job {now.id} is not discarded; there is nothing to restore")
        if now.result is None:
            raise WrongState(f"job {now.id} left nothing that could be restored")
        if holder_of(home, store, now).ref(result_ref(now.id)) is None:
            raise WrongState(f"the work of job {now.id} is no longer held")
        decision = Decision.PARTLY_KEPT if now.kept_paths else Decision.OPEN
        return _decided(store, now, decision, decided_at=None)


def branch_job(repository: Repository, store: Store, job: Job, name: str) -> str:
    """Make a branch of a job's work, and return the commit that it names; no file is touched.

    The job's decision stays as it is.

    :raises UsageError: no branch can have this name, or one has it already.
    :raises WrongState: the job is running, or has no work that is still held.
    """
    from sideshoot.jobs.branch import make_branch  # noqa: PLC0415 - as said above

    with deciding(repository, store, job) as (home, now):
        fresh = refreshed(home, store, now).job
        return make_branch(brought_home(home, store, fresh), fresh, name)


def recover_decisions(repository: Repository, store: Store) -> list[str]:
    """Finish what somebody was about to decide when their process died."""
    from sideshoot.workspace.apply import recover as recover_changes  # noqa: PLC0415 - rare

    notes = [_told(found) for found in recover_changes(repository)]
    for job_id in intent.jobs_left(store.state_dir):
        with contextlib.suppress(Busy, JobNotFound):
            _recover_decision(repository, store, job_id)
    return notes


def _told(found: Recovered) -> str:
    done = "finished" if found.finished else "taken back"
    note = f"job {found.job_id}: a {found.kind} that was cut off is {done}"
    if found.left:
        paths = ", ".join(map(show_path, found.left))
        note += f"; {paths} changed since and stays, what was there before is in {found.folder}"
    return note


def _recover_decision(repository: Repository, store: Store, job_id: str) -> None:
    folder = JobFolder(store.state_dir, job_id)
    with locked(folder.decision_lock, 0):
        found = intent.load(store.state_dir, job_id)
        if found is not None:
            if intent.is_change_left(store.state_dir, job_id):
                return
            if repository.ref(undo_ref(job_id)) != found.undo:
                decision = Decision(found.decision)
                _decided(store, store.get(job_id), decision, kept_paths=found.kept_paths)
        intent.forget(store.state_dir, job_id)


# -- the work itself


@dataclass(frozen=True, slots=True)
class Fresh:
    """A job whose result is what lies in its workspace now."""

    job: Job
    warnings: tuple[str, ...] = ()
    error: CaptureFailed | None = None
    """Why the workspace could not be saved again; the result is what was saved last."""
    is_there: bool = False
    """Whether the workspace's folder is."""


def refreshed(repository: Repository, store: Store, job: Job) -> Fresh:
    """Save the workspace of a finished job again, if it is there: somebody may have worked in it."""
    workspace = workspace_of(repository, job)
    if workspace is None or not job.opened:
        return Fresh(job)
    with checking(workspace, job.result) as check:
        if check is not None and check.holds():
            return Fresh(job, is_there=True)
    if job.result is not None and not workspace.path.is_dir():
        return Fresh(
            job, (f"the workspace {show_path(workspace.path)} is gone; what was saved counts",)
        )
    from sideshoot.workspace.capture import capture  # noqa: PLC0415 - as said above

    try:
        captured = capture(repository, workspace)
    except CaptureFailed as error:
        return Fresh(job, (str(error),), error, is_there=workspace.path.is_dir())
    if captured.commit == job.result:
        return Fresh(job)
    changed = store.update(job.id, expect=State.FINISHED, result=captured.commit)
    if job.result is None:
        return Fresh(changed, captured.warnings)
    note = "the workspace was changed since the job ended; that is part of its work now"
    return Fresh(changed, (note, *captured.warnings))


class _Outdated(KeepRefused):
    """The workspace was changed since it was captured."""


def _keep_latest(
    repository: Repository,
    store: Store,
    job: Job,
    options: KeepOptions,
    ignored: Sequence[bytes],
) -> tuple[Fresh, Kept, Job]:
    """Keep what lies in the workspace now.

    Mostly that is what was captured. So the keep is made ready while git looks if it is, and is only
    begun anew if not.
    """
    with checking(workspace_of(repository, job), job.result) as check:
        try:
            if check is not None:
                wanted = _with_ignored(repository, job, options, ignored)
                return Fresh(job), *_keep(repository, store, job, wanted, partial(_confirm, check))
        except SideshootError:
            if check is None or check.holds():
                raise
    fresh = refreshed(repository, store, job)
    if fresh.error is not None and fresh.job.result is None:
        raise fresh.error
    wanted = _with_ignored(repository, fresh.job, options, ignored)
    return fresh, *_keep(repository, store, fresh.job, wanted)


def _confirm(check: Check) -> None:
    if not check.holds():
        raise _Outdated("the workspace was changed")


def _keep(
    repository: Repository,
    store: Store,
    job: Job,
    options: KeepOptions,
    confirm: Callable[[], None] = lambda: None,
) -> tuple[Kept, Job]:
    from sideshoot.workspace.keep import keep  # noqa: PLC0415 - as said above

    if job.result is None or job.base is None:
        raise WrongState(f"job {job.id} has no result that could be kept")
    if options.dry_run:
        seen = seen_from(repository, store, job)
        kept = keep(seen, job.id, job.base, job.result, options)
        confirm()
        return kept, job
    _bring_home(repository, store, job, options)
    goal = _goal(repository, job, options)
    with intent.intending(store.state_dir, job.id, goal):
        kept = keep(repository, job.id, job.base, job.result, options, confirm=confirm)
        decision = Decision(goal.decision)
        return kept, _decided(store, job, decision, kept_paths=goal.kept_paths)


def _bring_home(repository: Repository, store: Store, job: Job, options: KeepOptions) -> None:
    """Have in the user's repository what is to be kept, unless a conflict can be foreseen."""
    from sideshoot.workspace.keep import conflict, keep  # noqa: PLC0415 - as said above

    seen = seen_from(repository, store, job)
    if seen is repository:
        return
    assert job.base is not None
    assert job.result is not None
    foreseen = keep(seen, job.id, job.base, job.result, replace(options, dry_run=True))
    if foreseen.conflicts and options.conflicts == "stop":
        raise conflict(foreseen.conflicts)
    brought_home(repository, store, job)


def _with_ignored(
    repository: Repository, job: Job, options: KeepOptions, paths: Sequence[bytes]
) -> KeepOptions:
    if not paths:
        return options
    from sideshoot.workspace.ignored import bring_ignored  # noqa: PLC0415 - rare

    workspace = workspace_of(repository, job)
    if workspace is None or not workspace.path.is_dir():
        raise WrongState(
            f"the workspace of job {job.id} is gone, and what git ignores went with it; nothing was "
            "written, the rest can be kept without --ignored"
        )
    return replace(options, extras=partial(bring_ignored, workspace, paths))


def _goal(repository: Repository, job: Job, options: KeepOptions) -> intent.Intent:
    """What the job will be once it is kept."""
    assert job.base is not None
    assert job.result is not None
    undo_before = repository.ref(undo_ref(job.id))
    if not options.paths:
        return intent.Intent("keep", undo_before, Decision.KEPT)
    from sideshoot.git.trees import differences  # noqa: PLC0415 - as said above
    from sideshoot.workspace.manifest import read_manifest  # noqa: PLC0415
    from sideshoot.workspace.places import meant_by  # noqa: PLC0415
    from sideshoot.workspace.plan import selected  # noqa: PLC0415

    deltas = differences(repository.git, job.base, job.result)
    beside = read_manifest(repository, job.result).beside
    chosen = [delta.path for delta in selected(deltas, options.paths, beside)]
    chosen += filter(meant_by(options.paths), beside)
    kept = {*job.kept_paths, *map(show_path, chosen)}
    whole = kept.issuperset(map(show_path, [*(delta.path for delta in deltas), *beside]))
    decision = Decision.KEPT if whole else Decision.PARTLY_KEPT
    return intent.Intent("keep", undo_before, decision, tuple(sorted(kept)))


def _refuse_look(job: Job) -> None:
    if job.request.isolation is Isolation.READ_ONLY:
        raise WrongState(f"job {job.id} only looked; there is nothing to bring or to take back")


def _refuse_decided(job: Job) -> None:
    _refuse_look(job)
    if job.request.isolation is not Isolation.WORKTREE:
        raise WrongState(f"job {job.id} worked in your own tree; there is nothing to bring")
    if job.decision is Decision.KEPT:
        raise WrongState(f"job {job.id} is kept already; nothing was changed")
    if job.decision is Decision.DISCARDED:
        raise WrongState(f"job {job.id} is discarded; `sideshoot restore {job.id}` brings it back")


def _decided(store: Store, job: Job, decision: Decision, **more: Any) -> Job:
    """Record the decision, for the jobs whose work this one has taken over as well."""
    facts: dict[str, Any] = {"decision": decision, "decided_at": time.time(), **more}
    with store.transaction():
        for earlier in earlier_jobs(store, job):
            store.update(earlier.id, **facts)
        return store.update(job.id, expect=State.FINISHED, decision_expect=job.decision, **facts)


def _undo_goal(repository: Repository, job: Job) -> intent.Intent:
    """What the job will be once its last keep is taken back."""
    from sideshoot.workspace.record import load_record  # noqa: PLC0415 - as said above

    record = load_record(repository, job.id)
    if record is None or record.previous is None:
        left: tuple[str, ...] = ()
    else:
        left = tuple(sorted({*job.kept_paths} - {show_path(path) for path in record.after}))
    decision = Decision.PARTLY_KEPT if record and record.previous else Decision.OPEN
    if job.decision is Decision.DISCARDED:
        decision = Decision.DISCARDED
    return intent.Intent("undo", repository.ref(undo_ref(job.id)), decision, left)


def _removed(repository: Repository, store: Store, job: Job, fresh: Fresh) -> list[str]:
    """Remove the workspace of a job that was kept whole; it is not lost if that fails."""
    if fresh.error is not None:
        return [f"the workspace {job.worktree} stays, since it can't be saved"]
    try:
        _remove(repository, store, job)
    except SideshootError as error:
        return [str(error)]
    return []


def _remove(repository: Repository, store: Store, job: Job) -> None:
    from sideshoot.workspace.removal import remove_workspace  # noqa: PLC0415 - as said above

    workspace = workspace_of(repository, job)
    if workspace is not None:
        remove_workspace(repository, workspace)
        store.update(job.id, **NO_WORKSPACE)
        with contextlib.suppress(OSError):
            workspace_went(store, job.id)
