"""Give a job the place that it works in: a workspace of its own, an earlier job's, or the user's tree."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sideshoot.agents.registry import agent_of
from sideshoot.errors import SideshootError
from sideshoot.jobs.place import NO_WORKSPACE, workspace_of
from sideshoot.jobs.resume import adopt, take_over, without_workspace
from sideshoot.model import Carry, Copy, Isolation, Job
from sideshoot.workspace.base import make_base
from sideshoot.workspace.guard import take_guard
from sideshoot.workspace.opening import open_workspace, plan_workspace
from sideshoot.workspace.quarantine import borrow, make_quarantine, seeing
from sideshoot.workspace.refill import base_again, refill
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.reopening import Reuse
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sideshoot.git import Repository
    from sideshoot.jobs.folder import JobFolder
    from sideshoot.jobs.store import Store
    from sideshoot.workspace.base import Base
    from sideshoot.workspace.place import Workspace


def open_place(
    repository: Repository, store: Store, folder: JobFolder, job: Job
) -> tuple[Job, list[str]]:
    """Make the place ready; return the job with the place in its record, and what the user should
    know.

    :raises SideshootError: it can't be made; the record names no workspace then.
    """
    if not has_workspace(job):
        return _in_place(repository, store, folder, job)
    adopted = adopt(repository, store, job)
    if adopted is None:
        earlier = without_workspace(repository, store, job)
        if earlier is not None:
            return _refilled(repository, store, folder, job, earlier)
        return _opened(repository, store, folder, job)
    assert adopted.branch is not None
    _take_guard(repository, folder, adopted, adopted.branch)
    return adopted, []


class _Start(NamedTuple):
    """What a workspace starts from."""

    base: Base
    repository: Repository
    """The user's, as one that has it."""


def _opened(
    repository: Repository, store: Store, folder: JobFolder, job: Job
) -> tuple[Job, list[str]]:
    request = job.request
    make = partial(make_base, carry=request.carry, revision=request.base)
    start = _start(repository, folder, job, make)
    job, notes = _made(repository, store, folder, job, start)
    job = store.update(job.id, opened=True)
    reached("run.opened")
    return job, [*start.base.warnings, *notes]


def _refilled(
    repository: Repository, store: Store, folder: JobFolder, job: Job, earlier: Job
) -> tuple[Job, list[str]]:
    """A workspace with what an earlier job left, of which the workspace has gone."""
    assert earlier.base is not None
    assert earlier.result is not None
    make = partial(base_again, base=earlier.base, head=earlier.head)
    job, notes = _made(repository, store, folder, job, _start(repository, folder, job, make))
    with _or_nothing(repository, store, job) as workspace:
        notes += refill(workspace, earlier.result)
        return take_over(store, earlier, job), notes


def _start(
    repository: Repository, folder: JobFolder, job: Job, make: Callable[..., Base]
) -> _Start:
    """Make the base: in the user's repository, or in a quarantine for a clone."""
    if job.request.copy is not Copy.CLONE:
        return _Start(make(repository, job.id), repository)
    holder = make_quarantine(repository, folder.top)
    seen = seeing(repository, folder.top)
    base = make(seen, job.id, holder=holder)
    borrow(repository, holder, job.id, base)
    return _Start(base, seen)


def _made(
    repository: Repository, store: Store, folder: JobFolder, job: Job, start: _Start
) -> tuple[Job, list[str]]:
    """Make a workspace."""
    request = job.request
    reached("run.base")
    job = _planned(repository, store, folder, job, start.base)
    reached("run.planned")
    with _or_nothing(repository, store, job) as workspace:
        _take_guard(repository, folder, job, workspace.branch)
        reached("run.guarded")
        shared = request.equipment.link
        notes = open_workspace(
            start.repository,
            workspace,
            start.base,
            link_paths=shared,
            sparse=[*map(os.fsencode, request.sparse)],
            lfs=request.equipment.lfs,
            reuse=Reuse(request.equipment.pool, request.equipment.cache),
        )
        return job, [*notes, *_writable_links(job, shared)]


@contextlib.contextmanager
def _or_nothing(repository: Repository, store: Store, job: Job) -> Iterator[Workspace]:
    """The workspace that a record names; of one that can't be made complete nothing stays."""
    workspace = workspace_of(repository, job)
    assert workspace is not None
    try:
        yield workspace
    except BaseException:
        with contextlib.suppress(SideshootError, OSError):
            remove_workspace(repository, workspace)
            store.update(job.id, **NO_WORKSPACE)
        raise


def _take_guard(repository: Repository, folder: JobFolder, job: Job, branch: str) -> None:
    shared = job.request.copy is not Copy.CLONE
    take_guard(repository, job.id, branch, shared=shared).save(folder.guard)


def _writable_links(job: Job, shared: Sequence[str]) -> list[str]:
    if not shared or job.request.sandbox != "off" or agent_of(job.request).sandboxed:
        return []
    return [f"nothing kept the agent from writing to {', '.join(shared)} of your own tree"]


def _planned(repository: Repository, store: Store, folder: JobFolder, job: Job, base: Base) -> Job:
    directory = Path(job.request.directory) if job.request.directory else None
    apart = folder.top if job.request.copy is Copy.CLONE else None
    workspace = plan_workspace(repository, job.id, base, directory=directory, apart=apart)
    return store.update(
        job.id,
        worktree=str(workspace.path),
        git_dir=str(workspace.git_dir),
        branch=workspace.branch,
        head=workspace.head,
        base=workspace.base,
    )


def has_workspace(job: Job) -> bool:
    """Whether a job works in a copy; who is to look at a certain commit has one, too."""
    if job.request.isolation is Isolation.READ_ONLY:
        return job.request.base is not None
    return job.request.isolation is Isolation.WORKTREE


def _in_place(
    repository: Repository, store: Store, folder: JobFolder, job: Job
) -> tuple[Job, list[str]]:
    """Remember the tree as it is, so that it can be told what the agent changes in it."""
    if job.request.isolation is Isolation.READ_ONLY:
        take_guard(repository, job.id, f"sideshoot/{job.id}").save(folder.guard)
    try:
        base = make_base(repository, job.id, carry=Carry.ALL)
    except SideshootError as error:
        return job, [f"what changes can't be told, since {error}"]
    return store.update(job.id, base=base.commit, head=base.head), []
