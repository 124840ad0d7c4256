"""What is held on disk, how large it is, and what may go.

Nothing goes that waits for a decision, that is at work, or whose only copy it is.

Run as a module it notes how much is held: `python -m sideshoot.jobs.gc TOP`.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import Busy, JobNotFound, SideshootError
from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder, job_folders
from sideshoot.jobs.settings import load_config
from sideshoot.jobs.store import HELD, Store
from sideshoot.lock import is_held, locked
from sideshoot.model import Decision, Job, State
from sideshoot.workspace.folders import made_for, used_folders
from sideshoot.workspace.refs import job_refs
from sideshoot.workspace.trash import (
    PREFIX,
    put_into_trash,
    spawn_idle,
    spawn_trash_removal,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

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
    is gone) or `trash`."""
    job_id: str | None
    path: Path
    size_bytes: int
    why: str
    goes: bool
    """Whether `collect` removes it."""


def plan(
    repository: Repository, store: Store, config: Config, *, now: float | None = None
) -> list[Item]:
    """All that is held, and what is due to go; nothing is changed."""
    now = time.time() if now is None else now
    jobs = store.list()
    items = _job_items(repository, store, config, jobs, now)
    known = {job.id for job in jobs}
    items += _orphan_folders(store, known, now)
    items += _stale_worktrees(repository, jobs)
    items += _trash(repository, jobs)
    return items


def collect(repository: Repository, store: Store, items: list[Item]) -> list[Item]:
    """Remove what is due, if it still is; return what was removed."""
    return [item for item in items if item.goes and _removed(repository, store, item)]


def held_bytes(items: Sequence[Item]) -> int:
    """How much all of it takes."""
    return sum(item.size_bytes for item in items)


def note_held(store: Store, size: int) -> None:
    """Write down how much is held, for `status`, which has no time to find out."""
    with store.transaction():
        store.set_setting(HELD, str(size))
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
    size = _job_size(repository, store, store.get(job_id), patience_s=_PATIENCE_S)
    with store.transaction():
        store.set_setting(HELD, str(int(store.setting(HELD) or 0) + size))
        if counted_at is None:
            store.set_setting(_HELD_AT, str(time.time()))


def count_held(top: Path) -> None:
    """Find out how much is held, and note it."""
    repository = discover(top)
    store = Store.open(repository.state_dir)
    config = load_config(repository, store, lenient=True)
    note_held(store, held_bytes(plan(repository, store, config)))


# -- what there is


def _job_items(
    repository: Repository, store: Store, config: Config, jobs: list[Job], now: float
) -> list[Item]:
    max_age = config.value("gc.max_age_days") * 86400
    budget = config.value("gc.max_size_mb") * 1024**2
    sizes = {job.id: _job_size(repository, store, job) for job in jobs}
    total = sum(sizes.values())
    items = []
    for job in sorted(jobs, key=_age_key):
        due = _due(job, now, max_age)
        if due is None and total > budget and _may_go(job):
            due = "all jobs together take more than they may"
        if due is not None:
            total -= sizes[job.id]
        folder = JobFolder(store.state_dir, job.id).top
        why = due or _why_held(job)
        items.append(Item("job", job.id, folder, sizes[job.id], why, due is not None))
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


def _orphan_folders(store: Store, known: Collection[str], now: float) -> Iterator[Item]:
    for folder in job_folders(store.state_dir):
        if folder.id in known or folder.record.exists() or is_held(folder.lock):
            continue
        with contextlib.suppress(OSError):
            if now - folder.top.stat().st_mtime > _YOUNG_S:
                why = "a command died before it recorded this job"
                yield Item("folder", folder.id, folder.top, folder_size(folder.top), why, goes=True)


def _stale_worktrees(repository: Repository, jobs: list[Job]) -> Iterator[Item]:
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
        yield Item("worktree", job_id, path, folder_size(path), why, goes=True)


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


def _trash(repository: Repository, jobs: list[Job]) -> Iterator[Item]:
    places = {repository.state_dir, repository.top / ".worktrees"}
    places |= {used.folder for used in used_folders(repository)}
    places |= {Path(job.worktree).parent for job in jobs if job.worktree}
    for place in sorted(places):
        names = [name for name in _names(place) if name.startswith(PREFIX)]
        if names:
            size = sum(folder_size(place / name) for name in names)
            yield Item("trash", None, place, size, "is being deleted", goes=True)


# -- how it goes


def _removed(repository: Repository, store: Store, item: Item) -> bool:
    try:
        if item.kind == "job":
            return _remove_job(repository, store, str(item.job_id))
        if item.kind == "trash":
            spawn_trash_removal(item.path, made=made_for(repository, item.path))
        elif item.kind == "folder":
            JobFolder(store.state_dir, str(item.job_id)).remove()
        else:
            put_into_trash(item.path, repository.state_dir)
            spawn_trash_removal(repository.state_dir)
    except (OSError, SideshootError):
        return False
    return True


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


# -- how large it is


def _job_size(
    repository: Repository, store: Store, job: Job, *, patience_s: float = math.inf
) -> int:
    size = folder_size(JobFolder(store.state_dir, job.id).top)
    if job.worktree is not None:
        size += folder_size(Path(job.worktree), patience_s=patience_s)
    return size + _object_size(repository, job)


def _object_size(repository: Repository, job: Job) -> int:
    """What the job's refs hold in the object store beyond what it started from."""
    review = job.request.review
    held, begin = job.result, [job.base, job.head]
    if review is not None:
        held, begin = review.after, [review.before, repository.head()]
    if held is None:
        return 0
    known = [f"^{commit}" for commit in begin if commit]
    argv = ("rev-list", "--objects", "--disk-usage", held, *known)
    answer = repository.git.run(*argv, accept=(0, 128))
    return int(answer.text) if answer.status == 0 and answer.text.isdigit() else 0


def folder_size(folder: Path, *, patience_s: float = math.inf) -> int:
    """How much a folder takes on disk, in bytes, links not followed.

    :param patience_s: after this many seconds what was found so far has to do.
    """
    size, deadline = 0, time.monotonic() + patience_s
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found = os.lstat(f"{place}/{name}")
                size += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) else 0
        if time.monotonic() > deadline:
            break
    return size


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


if __name__ == "__main__":
    with contextlib.suppress(OSError, SideshootError):
        count_held(Path(sys.argv[1]))
