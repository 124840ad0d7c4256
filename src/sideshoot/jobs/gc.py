"""What is held on disk, and what may go.

Nothing goes that waits for a decision, that is at work, or whose only copy it is.

Run as a module it notes how much is held: `python -m sideshoot.jobs.gc TOP`.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import Busy, JobNotFound, SideshootError
from sideshoot.git import discover
from sideshoot.jobs.folder import NAME as JOBS
from sideshoot.jobs.folder import JobFolder, job_folders
from sideshoot.jobs.held import Held, note_held_by
from sideshoot.jobs.settings import load_config
from sideshoot.jobs.sizes import Inventory
from sideshoot.jobs.store import HELD, Store
from sideshoot.lock import is_held, locked
from sideshoot.model import Decision, Job, State
from sideshoot.workspace import pool
from sideshoot.workspace.folders import made_for, used_folders
from sideshoot.workspace.refs import job_refs
from sideshoot.workspace.trash import (
    PREFIX,
    put_into_trash,
    spawn_idle,
    spawn_trash_removal,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sideshoot.config import Config
    from sideshoot.git import Repository

_HELD_AT = "held.at"
_HELD_FRESH_S = 600.0
"""Finding out takes a look at every file of every workspace: not after each of many short jobs."""

_PATIENCE_S = 0.1
"""How long the end of a job may be put off for the size of its own workspace."""

_YOUNG_S = 24 * 3600.0
"""A folder without a record that is younger may belong to a command that is just beginning."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is held."""

    kind: str
    """`job`, `folder` (of a job that was never recorded), `worktree` (an entry of git's whose folder
    is gone), `pool` (a folder that waits to be used again), `trash`, `records` (of all jobs) or `shared`
    (by workspaces among themselves)."""
    job_id: str | None
    path: Path
    held: Held
    why: str
    goes: bool = False
    """Whether `collect` removes it."""

    @property
    def size_bytes(self) -> int:
        """What it takes on the disk, and nothing else does."""
        return self.held.bytes


def is_anything_held(repository: Repository, jobs: Sequence[Job]) -> bool:
    """Whether there is anything to look at; where there never was a job, nothing is to be made."""
    return bool(jobs or pool.entries(repository.common_dir))


def plan(
    repository: Repository, store: Store, config: Config, *, now: float | None = None
) -> list[Item]:
    """All that is held, and what is due to go; nothing is changed."""
    now = time.time() if now is None else now
    jobs = sorted(store.list(), key=_age_key)
    inventory = Inventory(repository, jobs)
    held: dict[str, Held] = {job.id: inventory.count(job) for job in jobs}
    items = _job_items(store, config, jobs, held, now)
    items += _orphan_folders(store, inventory, {*held}, now)
    items += _stale_worktrees(repository, inventory, jobs)
    items += _pool_items(repository, config, inventory, _staying(items), now)
    items += _trash(repository, inventory, jobs)
    items += _common(repository, inventory)
    return items


def collect(repository: Repository, store: Store, items: list[Item]) -> list[Item]:
    """Remove what is due, if it still is; return what was removed."""
    return [item for item in items if item.goes and _removed(repository, store, item)]


def held_bytes(items: Sequence[Item]) -> int:
    """How much all of it takes."""
    return sum(item.size_bytes for item in items)


def note_held(store: Store, items: Sequence[Item]) -> None:
    """Write down how much each job holds, for `status`, which has no time to find out."""
    jobs = {item.job_id: item.held for item in items if item.kind == "job" and item.job_id}
    _note(store, jobs)
    with store.transaction():
        known = [item for item in items if item.kind in ("job", "pool")]
        store.set_setting(HELD, str(held_bytes(known)))
        store.set_setting(_HELD_AT, str(time.time()))


def look_after(repository: Repository, store: Store, job_id: str) -> None:
    """Add what a job holds that has just ended; called once its end has been told.

    What was removed since is found out now and then, by a process that nobody waits for.
    """
    counted_at = store.setting(_HELD_AT)
    if counted_at is not None and time.time() - float(counted_at) > _HELD_FRESH_S:
        store.set_setting(_HELD_AT, str(time.time()))
        spawn_idle("sideshoot.jobs.gc", str(repository.top))
        return
    count_jobs(repository, store, [store.get(job_id)], patience_s=_PATIENCE_S)
    if counted_at is None:
        store.set_setting(_HELD_AT, str(time.time()))


def count_jobs(
    repository: Repository, store: Store, jobs: Sequence[Job], *, patience_s: float = math.inf
) -> dict[str, Held]:
    """Count what these jobs hold, each thing for the first that has it; note it, and return it.

    :param patience_s: so long each workspace is looked at.
    """
    inventory = Inventory(repository, jobs)
    held: dict[str, Held] = {}
    for job in jobs:
        held[job.id] = inventory.count(job, patience_s=patience_s)
    _note(store, held)
    return held


def _note(store: Store, held: Mapping[str, Held]) -> None:
    with contextlib.suppress(OSError):
        for job_id, one in held.items():
            note_held_by(store, job_id, one)


def count_held(top: Path) -> None:
    """Find out how much is held, and note it."""
    repository = discover(top)
    store = Store.open(repository.state_dir)
    config = load_config(repository, store, lenient=True)
    note_held(store, plan(repository, store, config))


# -- what there is


def _job_items(
    store: Store, config: Config, jobs: Sequence[Job], held: dict[str, Held], now: float
) -> list[Item]:
    """The jobs, from the one that has waited longest."""
    max_age = config.value("gc.max_age_days") * 86400
    budget = config.value("gc.max_size_mb") * 1024**2
    total = sum(one.bytes for one in held.values())
    items = []
    for job in jobs:
        due = _due(job, now, max_age)
        if due is None and total > budget and _may_go(job):
            due = "all jobs together take more than they may"
        if due is not None:
            total -= held[job.id].bytes
        folder = JobFolder(store.state_dir, job.id).top
        why = due or _why_held(job)
        items.append(Item("job", job.id, folder, held[job.id], why, due is not None))
    return items


def _age_key(job: Job) -> float:
    return job.decided_at or job.finished_at or job.created_at


def _may_go(job: Job) -> bool:
    """Whether nobody can want anything of it that is not elsewhere."""
    if job.state is not State.FINISHED or job.worktree is not None:
        return False
    if job.continued_by is not None:
        return job.decision in (Decision.KEPT, Decision.DISCARDED)
    return job.decision in (Decision.KEPT, Decision.DISCARDED) or job.result is None


def _due(job: Job, now: float, max_age: float) -> str | None:
    if not _may_go(job) or now - _age_key(job) < max_age:
        return None
    what = job.decision if job.decision is not Decision.OPEN else f"{job.outcome}, without a result"
    return f"{what} more than {max_age / 86400:g} days ago"


def _why_held(job: Job) -> str:
    if job.state is not State.FINISHED:
        return str(job.state)
    if _may_go(job):
        return f"{job.decision}, can be restored" if job.result else "its log"
    return "waits for a decision" if job.decision is Decision.OPEN else str(job.decision)


def _orphan_folders(
    store: Store, inventory: Inventory, known: Collection[str], now: float
) -> Iterator[Item]:
    for folder in job_folders(store.state_dir):
        if folder.id in known or folder.record.exists() or is_held(folder.lock):
            continue
        with contextlib.suppress(OSError):
            if now - folder.top.stat().st_mtime > _YOUNG_S:
                why = "a command died before it recorded this job"
                held = Held(store=inventory.folder(folder.top))
                yield Item("folder", folder.id, folder.top, held, why, goes=True)


def _stale_worktrees(
    repository: Repository, inventory: Inventory, jobs: Sequence[Job]
) -> Iterator[Item]:
    """Entries that Sideshoot made, of workspaces that no job has any more."""
    used = {Path(job.git_dir).name for job in jobs if job.git_dir}
    decided = {job.id for job in jobs if job.worktree is None and job.state is State.FINISHED}
    entries = repository.common_dir / "worktrees"
    for name in _names(entries):
        job_id = _owner(entries / name)
        if job_id not in decided or name in used or _leads_somewhere(entries / name):
            continue
        why = "the workspace of this entry is gone"
        path = entries / name
        held = Held(store=inventory.folder(path))
        yield Item("worktree", job_id, path, held, why, goes=True)


def _owner(entry: Path) -> str | None:
    """The job whose workspace an entry was, which its lock tells."""
    try:
        words = (entry / "locked").read_text("utf-8", errors="replace").split()
    except OSError:
        return None
    return words[1] if len(words) == 2 and words[0] == "sideshoot" else None


def _leads_somewhere(entry: Path) -> bool:
    try:
        return Path(os.fsdecode((entry / "gitdir").read_bytes().rstrip(b"\n"))).exists()
    except OSError:
        return True


def _pool_items(
    repository: Repository, config: Config, inventory: Inventory, others: int, now: float
) -> Iterator[Item]:
    """What is too much goes, the oldest first; nobody misses it but for a moment.

    :param others: what jobs hold that stay.
    """
    limit, days = config.value("workspace.pool"), config.value("gc.max_age_days")
    budget = config.value("gc.max_size_mb") * 1024**2
    found = pool.entries(repository.common_dir)
    sizes = [inventory.folder(entry.folder) for entry in found]
    total = others + sum(sizes)
    for number, (entry, size) in enumerate(zip(found, sizes, strict=True)):
        due = None
        if len(found) - number > limit:
            due = "more than workspace.pool"
        elif now - entry.released_at > days * 86400:
            due = f"not used for more than {days:g} days"
        elif total > budget:
            due = "all jobs together take more than they may"
        if due is not None:
            total -= size
        held, why = Held(workspace=size), due or "waits to be used again"
        yield Item("pool", None, entry.folder, held, why, due is not None)


def _staying(items: Sequence[Item]) -> int:
    return held_bytes([item for item in items if item.kind == "job" and not item.goes])


def _trash(repository: Repository, inventory: Inventory, jobs: Sequence[Job]) -> Iterator[Item]:
    places = {repository.state_dir, repository.top / ".worktrees"}
    places |= {used.folder for used in used_folders(repository)}
    places |= {Path(job.worktree).parent for job in jobs if job.worktree}
    known = {entry.folder for entry in pool.entries(repository.common_dir)}
    for place in sorted(places):
        found = [name for name in _names(place) if name.startswith((PREFIX, pool.PREFIX))]
        names = [name for name in found if place / name not in known]
        if names:
            held = Held(workspace=sum(inventory.folder(place / name) for name in names))
            yield Item("trash", None, place, held, "is being deleted", goes=True)


def _common(repository: Repository, inventory: Inventory) -> Iterator[Item]:
    """What belongs to no job alone."""
    state = repository.state_dir
    trash = [state / name for name in _names(state) if name.startswith(PREFIX)]
    held = Held(store=inventory.folder(state, without=[state / JOBS, *trash]))
    yield Item("records", None, state, held, "the records of all jobs")
    shared = inventory.shared_among()
    if shared:
        why = "what several workspaces have in common"
        yield Item("shared", None, repository.top, Held(workspace=shared), why)


# -- how it goes


def _removed(repository: Repository, store: Store, item: Item) -> bool:
    try:
        if item.kind == "job":
            return _remove_job(repository, store, str(item.job_id))
        if item.kind == "trash":
            pool.sweep(repository.common_dir, [item.path])
            spawn_trash_removal(item.path, made=made_for(repository, item.path))
        elif item.kind == "pool":
            _drop_from_pool(repository, item)
        elif item.kind == "folder":
            JobFolder(store.state_dir, str(item.job_id)).remove()
        else:
            put_into_trash(item.path, repository.state_dir)
            spawn_trash_removal(repository.state_dir)
    except (OSError, SideshootError):
        return False
    return True


def _drop_from_pool(repository: Repository, item: Item) -> None:
    for entry in pool.entries(repository.common_dir):
        if entry.folder == item.path:
            pool.drop(entry)
    pool.spawn_cleaning(repository, item.path.parent)  # It sweeps, and empties the trash.


def _remove_job(repository: Repository, store: Store, job_id: str) -> bool:
    """Drop a job: its refs first, its record last, so that what is cut off is begun again."""
    folder = JobFolder(store.state_dir, job_id)
    folder.make()
    try:
        with locked(folder.decision_lock, 0):
            # Somebody may have restored it, or gone on with it, since it was planned.
            if not _may_go(store.get(job_id)):
                return False
            _delete_refs(repository, job_id)
            folder.remove()
            return store.forget(job_id)
    except (Busy, JobNotFound):
        return False


def _delete_refs(repository: Repository, job_id: str) -> None:
    git = repository.git
    names = git.run("for-each-ref", "--format=%(refname)", job_refs(job_id)).stdout.split(b"\n")
    for name in names:
        if name:
            git.run("update-ref", "-d", os.fsdecode(name))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


if __name__ == "__main__":
    with contextlib.suppress(OSError, SideshootError):
        count_held(Path(sys.argv[1]))
