"""What an agent is told of its job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Task
from sideshoot.agents.ending import MARKER
from sideshoot.errors import JobNotFound
from sideshoot.jobs.place import workspace_of
from sideshoot.model import Isolation

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.jobs.enclosure import Enclosure
    from sideshoot.jobs.folder import JobFolder
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job


def task_of(repository: Repository, store: Store, folder: JobFolder, job: Job) -> Task:
    """The task of a job whose place is ready.

    :raises CannotStart: the fence that was asked for can't be put up.
    """
    request = job.request
    top = Path(job.worktree) if job.worktree else repository.top
    start = _start(top, request.subfolder)
    thread_id = _thread_id(store, job)
    enclosure = _enclosure(repository, folder, job)
    return Task(
        prompt=_told_where(request.prompt, start) if thread_id else request.prompt,
        command=request.command,
        folder=start,
        top=top,
        writable=_writable(repository, job),
        read_only=request.isolation is Isolation.READ_ONLY,
        model=request.model,
        effort=request.effort,
        mode=request.agent_mode,
        thread_id=thread_id,
        environment={**request.environment, MARKER: job.id, "SIDESHOOT_WORKSPACE": str(top)},
        stderr=folder.stderr,
        checkout=repository.top,
        fence=enclosure.fence if enclosure else None,
        mechanism=enclosure.mechanism if enclosure else None,
    )


def _enclosure(repository: Repository, folder: JobFolder, job: Job) -> Enclosure | None:
    if job.request.sandbox == "off":
        return None
    from sideshoot.jobs.enclosure import enclosure_of  # noqa: PLC0415 - only for a fence

    return enclosure_of(repository, folder, job)


def _start(top: Path, subfolder: str) -> Path:
    """The folder that corresponds to the caller's, if it is there and does not lead out of `top`."""
    folder = top / subfolder
    if not folder.is_dir() or not folder.resolve().is_relative_to(top.resolve()):
        return top
    return folder


def _thread_id(store: Store, job: Job) -> str | None:
    if job.request.resume is None:
        return None
    try:
        return store.get(job.request.resume).thread_id
    except JobNotFound:
        return None


def _told_where(prompt: str, folder: Path) -> str:
    # The thread remembers the folder that it began in, which may be gone or another job's.
    return f"(You now work in {folder}; read and change files only there.)\n\n{prompt}"


def _writable(repository: Repository, job: Job) -> tuple[Path, ...]:
    from sideshoot.workspace.opening import writable_folders  # noqa: PLC0415 - git is at work

    workspace = workspace_of(repository, job)
    if workspace is None or job.request.command:
        return ()
    return writable_folders(workspace)
