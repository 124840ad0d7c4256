"""What an agent is told of its job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Task
from sideshoot.agents.ending import MARKER
from sideshoot.errors import JobNotFound
from sideshoot.jobs.brief import Brief
from sideshoot.jobs.place import workspace_of
from sideshoot.model import Isolation
from sideshoot.workspace import lfs, sparse

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.jobs.enclosure import Enclosure
    from sideshoot.jobs.folder import JobFolder
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job, Request

LOOKING = {
    "GIT_LITERAL_PATHSPECS": "0",
    "GIT_NOGLOB_PATHSPECS": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "diff.autoRefreshIndex",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "safe.bareRepository",
    "GIT_CONFIG_VALUE_1": "explicit",
}
"""For who may only look. Else `git status` and `git diff` write what they found into the index, and
a folder of the tree that looks like a repository can name programs for git to run. What a caller has
set for git's patterns is not meant for the agent."""


def task_of(repository: Repository, store: Store, folder: JobFolder, job: Job) -> Task:
    """The task of a job whose place is ready.

    :raises CannotStart: the fence that was asked for can't be put up.
    """
    request = job.request
    top = Path(job.worktree) if job.worktree else repository.top
    start = _start(top, request.subfolder)
    thread_id = _thread_id(store, job)
    enclosure = _enclosure(repository, folder, job)
    brief = Brief.load(folder.brief) or Brief(request.prompt)
    return Task(
        prompt=_told_where(brief.prompt, start) if thread_id else brief.prompt,
        command=request.command,
        folder=start,
        top=top,
        writable=_writable(repository, job),
        read_only=request.isolation is Isolation.READ_ONLY,
        model=request.model,
        effort=request.effort,
        mode=request.agent_mode,
        thread_id=thread_id,
        environment={
            **request.environment,
            MARKER: job.id,
            "SIDESHOOT_WORKSPACE": str(top),
            **sparse.environment(request.sparse),
            **lfs.environment(request.equipment.lfs),
            **_looking(request),
        },
        stderr=folder.stderr,
        checkout=repository.top,
        fence=enclosure.fence if enclosure else None,
        mechanism=enclosure.mechanism if enclosure else None,
        output_schema=brief.output_schema,
        reviewer=brief.reviewer,
    )


def _enclosure(repository: Repository, folder: JobFolder, job: Job) -> Enclosure | None:
    if job.request.sandbox == "off":
        return None
    from sideshoot.jobs.enclosure import enclosure_of  # noqa: PLC0415 - only for a fence

    return enclosure_of(repository, folder, job)


def _looking(request: Request) -> dict[str, str]:
    return LOOKING if request.isolation is Isolation.READ_ONLY else {}


def _start(top: Path, subfolder: str) -> Path:
    """The folder that corresponds to the caller's, if it is there and does not lead out of `top`."""
    folder = top / subfolder
    if not folder.is_dir() or not folder.resolve().is_relative_to(top.resolve()):
        return top
    return folder


def _thread_id(store: Store, job: Job) -> str | None:
    if job.request.resume is None:
        return job.request.thread
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
    look_only = job.request.isolation is Isolation.READ_ONLY
    if workspace is None or job.request.command or look_only:
        return ()
    return writable_folders(workspace)
