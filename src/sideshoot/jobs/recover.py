"""Mend what died: every command that looks calls `recover` first, so that what it shows is so."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from sideshoot.errors import Busy, SideshootError, StoreDamaged
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.place import NO_WORKSPACE, home_of, workspace_of
from sideshoot.jobs.store import NAME, Store
from sideshoot.lock import is_held, locked
from sideshoot.model import Job, Outcome, State

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository

_PATIENCE_S = 60.0
"""How long to wait for another command that recovers the same job."""


def recover(repository: Repository) -> list[str]:
    """Bring the records up to what is so, and return what was done, one line each.

    Where nothing is wrong this costs one query and no call of git.
    """
    state_dir = repository.state_dir
    if not (state_dir / NAME).exists() and not (state_dir / "jobs").is_dir():
        return []
    store, unsettled, notes = _opened(repository)
    if _is_any_decision_left(state_dir):
        from sideshoot.jobs.decide import recover_decisions  # noqa: PLC0415 - rare

        notes += recover_decisions(repository, store)
        unsettled = store.unsettled()
    for job in unsettled:
        notes += _settled(repository, store, job)
    return notes


def _is_any_decision_left(state_dir: Path) -> bool:
    """Whether somebody decides on a job just now, or did when they died."""
    for name in ("deciding", "keep"):
        with contextlib.suppress(OSError), os.scandir(state_dir / name) as entries:
            if any(entries):
                return True
    return False


def recover_job(
    repository: Repository,
    store: Store,
    job_id: str,
    *,
    outcome: Outcome = Outcome.INTERRUPTED,
    error: str | None = None,
) -> list[str]:
    """Finish a job whose worker is gone: end what it left running, and save the work.

    Does nothing if the job is finished or its worker lives.

    :param error: why it ended, where that is known.
    :raises Busy: another command is at it for too long.
    """
    folder = JobFolder(store.state_dir, job_id)
    folder.make()
    with locked(folder.decision_lock, _PATIENCE_S):
        job = store.get(job_id)
        if job.state is State.FINISHED or is_held(folder.lock):
            return []
        return _finished(home_of(repository, job), store, job, outcome=outcome, error=error)


def _settled(repository: Repository, store: Store, job: Job) -> list[str]:
    folder = JobFolder(store.state_dir, job.id)
    try:
        if job.state is State.FINISHED:
            return _removed(repository, store, folder)
        return [] if is_held(folder.lock) else recover_job(repository, store, job.id)
    except Busy:
        return []
    except SideshootError as error:
        return [f"job {job.id}: {error}"]


def _finished(
    repository: Repository, store: Store, job: Job, *, outcome: Outcome, error: str | None
) -> list[str]:
    from sideshoot.agents.base import Event, EventKind  # noqa: PLC0415 - rare
    from sideshoot.agents.ending import end_marked  # noqa: PLC0415
    from sideshoot.jobs.events import EventLog  # noqa: PLC0415
    from sideshoot.jobs.resume import finish_handover  # noqa: PLC0415

    folder = JobFolder(store.state_dir, job.id)
    ended = end_marked(job.id)
    why = error or _why(folder, job)
    finish_handover(repository, store, job)
    facts = _saved_facts(repository, folder, job, why)
    _remove_temp(folder, job)
    store.update(
        job.id,
        expect=job.state,
        state=State.FINISHED,
        outcome=outcome,
        finished_at=time.time(),
        **facts,
    )
    _drop_copy(repository, store, job.id)
    folder.control.unlink(missing_ok=True)
    with contextlib.suppress(OSError), EventLog(folder.events) as log:
        log.append(Event(EventKind.FINISHED, {"outcome": outcome, "error": facts["error"]}))
    note = f"job {job.id}: {facts['error']}"
    if ended:
        note += f"; {ended} leftover processes were ended"
    return [note + ("; its work is saved" if facts.get("result") else "")]


def _remove_temp(folder: JobFolder, job: Job) -> None:
    if job.request.sandbox != "off":
        from sideshoot.jobs.enclosure import remove_temp  # noqa: PLC0415 - only for a fence

        remove_temp(folder)


def _drop_copy(repository: Repository, store: Store, job_id: str) -> None:
    from sideshoot.jobs.saving import drop_copy  # noqa: PLC0415 - rare

    with contextlib.suppress(SideshootError):  # the next command tries again
        drop_copy(repository, store, store.get(job_id))


def _saved_facts(repository: Repository, folder: JobFolder, job: Job, why: str) -> dict[str, Any]:
    if job.worktree is not None and not job.opened:
        return {"error": why, **_without_workspace(repository, job)}
    if job.base is None:
        return {"error": why}
    from sideshoot.jobs.saving import Saved, save  # noqa: PLC0415 - rare

    try:
        saved = save(repository, folder, job)
    except Exception as error:  # noqa: BLE001 - or no command would work here any more
        saved = Saved(error=f"its work can't be saved ({type(error).__name__}: {error})")
    facts = {**saved.facts, "warnings": (*job.warnings, *saved.warnings)}
    return {**facts, "error": f"{why}; {saved.error}" if saved.error else why}


def _without_workspace(repository: Repository, job: Job) -> dict[str, Any]:
    """A workspace that was not complete has nothing of the agent's in it."""
    from sideshoot.workspace.removal import remove_workspace  # noqa: PLC0415 - rare

    workspace = workspace_of(repository, job)
    if workspace is not None:
        remove_workspace(repository, workspace)
    return NO_WORKSPACE


def _why(folder: JobFolder, job: Job) -> str:
    from sideshoot.boot import boot_id  # noqa: PLC0415 - rare

    if job.state is State.QUEUED:
        last = _last_line(folder)
        return "its worker ended before it began" + (f": {last}" if last else "")
    if job.boot_id != boot_id():
        return "the machine was restarted while it ran"
    return "its worker died while it ran"


def _last_line(folder: JobFolder) -> str:
    try:
        lines = folder.worker_log.read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _removed(repository: Repository, store: Store, folder: JobFolder) -> list[str]:
    """Finish the removal of a workspace whose job was decided."""
    from sideshoot.workspace.removal import remove_workspace  # noqa: PLC0415 - rare

    folder.make()
    with locked(folder.decision_lock, 0):
        job = store.get(folder.id)
        workspace = workspace_of(repository, job)
        if workspace is None:
            return []
        remove_workspace(home_of(repository, job), workspace)
        store.update(job.id, **NO_WORKSPACE)
    return [f"job {job.id}: its workspace is removed, as it was {job.decision}"]


def _opened(repository: Repository) -> tuple[Store, list[Job], list[str]]:
    """The store and what is unsettled in it; one that can't be read is made anew."""
    try:
        store = Store.open(repository.state_dir)
        return store, store.unsettled(), []
    except StoreDamaged:
        from sideshoot.jobs.rebuild import rebuild  # noqa: PLC0415 - rare

        notes = rebuild(repository)
        store = Store.open(repository.state_dir)
        return store, store.unsettled(), notes
