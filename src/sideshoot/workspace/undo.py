"""Take back what a keep brought, byte for byte where nobody has gone on from there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import KeepConflict, WrongState
from sideshoot.git.trees import SYMLINK, Delta, Entry, changed_tree
from sideshoot.text import show_path
from sideshoot.workspace.apply import Deed, carry_out, change_folder, change_lock
from sideshoot.workspace.base import user_snapshot
from sideshoot.workspace.indexing import Staged, entry_at, index_lock, plan_index, with_room
from sideshoot.workspace.merge import merge_trees
from sideshoot.workspace.places import facts, place
from sideshoot.workspace.plan import Change, Plan, describe, look_at, plan_tree
from sideshoot.workspace.record import KeepRecord, fingerprint, load_record
from sideshoot.workspace.scratch import with_copy
from sideshoot.workspace.staging import stage_files, write_raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.model import JobId
    from sideshoot.workspace.compare import FileChange


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back."""

    changed: tuple[FileChange, ...]
    more: bool
    """Whether an earlier keep of the same job is still in the tree."""
    left: tuple[bytes, ...] = ()
    """What was brought beside git's own and was changed since: it stays."""
    commit: str | None = None
    """The commit that the keep made: it stays, too."""


def undo(repository: Repository, job_id: JobId) -> Undone:
    """Take back the last keep of a job.

    Where a path still is what the keep made of it, it becomes what it was, to the byte. Where the
    user went on, the change is taken out of what they have now, by a merge the other way.

    :raises WrongState: nothing of the job was kept.
    :raises KeepConflict: the user changed the same place since; nothing was written.
    """
    with change_lock(repository), change_folder(repository, job_id) as folder:
        record = load_record(repository, job_id)
        if record is None:
            raise WrongState(f"nothing of job {job_id} was kept here, so there is nothing to undo")
        with index_lock(repository, folder):
            return _taken_back(repository, job_id, record, folder)


def _taken_back(repository: Repository, job_id: JobId, record: KeepRecord, folder: Path) -> Undone:
    plan, exact = _plan(repository, record, folder)
    if plan.conflicts:
        shown = ", ".join(show_path(path) for path in sorted(plan.conflicts)[:3])
        raise KeepConflict(
            f"you changed {shown} since it was kept, in the same place; nothing was written",
            sorted(plan.conflicts),
        )
    changed = describe(repository, plan)
    deed = Deed(
        job_id=job_id,
        kind="undo",
        changes=plan.changes,
        places=_ready(repository, plan, record, exact, folder),
        staged=_staged(repository, plan, record, folder),
        record=None,
        undo_after=record.previous,
        removed=_extras(repository, record),
    )
    carry_out(repository, deed, folder)
    left = tuple(sorted(set(record.extras) - set(deed.removed)))
    there = tuple(path for path in left if facts(repository.top, path) is not None)
    return Undone(changed, record.previous is not None, there, record.commit)


def _plan(repository: Repository, record: KeepRecord, folder: Path) -> tuple[Plan, bool]:
    """The plan, and whether every path is exactly what the keep left."""
    deltas = [Delta(path, record.after[path], record.before[path]) for path in sorted(record.after)]
    index, present = look_at(repository, deltas, folder, also=record.staged_after)
    changes = [
        Change(delta.path, delta.old, delta.new, present[delta.path])
        for delta in deltas
        if present[delta.path].entry != delta.new
    ]
    exact = all(present[change.path].entry == change.old for change in changes)
    if exact and not any(present[delta.path].is_folder for delta in deltas):
        trees = [_partial(repository, side, folder) for side in (record.after, record.before)]
        return Plan(tuple(changes), index, span=(trees[0], trees[1])), True
    return _merged(repository, record, folder), False


def _merged(repository: Repository, record: KeepRecord, folder: Path) -> Plan:
    git = with_copy(repository.git, repository.index, folder / "ours-index")
    ours = user_snapshot(repository, git).tree
    sides = [
        changed_tree(
            repository.git, ours, side, index=folder / "side-index", null_id=repository.null_id
        )
        for side in (record.after, record.before)
    ]
    merged = merge_trees(repository, base=sides[0], ours=ours, theirs=sides[1])
    return plan_tree(repository, ours, merged, folder)


def _partial(repository: Repository, entries: Mapping[bytes, Entry | None], folder: Path) -> str:
    return changed_tree(
        repository.git,
        repository.empty_tree,
        entries,
        index=folder / "partial-index",
        null_id=repository.null_id,
    )


def _ready(
    repository: Repository, plan: Plan, record: KeepRecord, exact: bool, folder: Path
) -> dict[bytes, bytes]:
    entries = {c.path: c.new for c in plan.changes if c.new is not None and c.new.is_file}
    if not exact:
        return stage_files(repository, entries, folder=folder / "new", tree=plan.tree)
    outside = record.outside
    raw = {p: record.raw.get(p) or e for p, e in entries.items() if p not in outside}
    places = write_raw(repository.git, raw, folder / "new")
    for path, where in places.items():
        mode = record.modes.get(path)
        if mode is not None and raw[path].mode != SYMLINK:
            os.chmod(where, mode)
    return places


def _staged(repository: Repository, plan: Plan, record: KeepRecord, folder: Path) -> Staged:
    """The index gets back what it had, where it still has what the keep gave it."""
    planned = plan_index(repository, plan, folder)
    entries = dict(planned.entries)
    for path, after in record.staged_after.items():
        found = plan.index.get(path)
        if (found.entry if found else None) != after:
            continue
        entries.pop(path, None)
        if record.staged_before[path] != after:
            entries[path] = record.staged_before[path]
    outside = tuple(path for path in record.outside if entries.get(path) is not None)
    before = {path: entry_at(plan, path) for path in entries}
    return with_room(
        repository, Staged(entries, planned.stages, planned.left, before, skipped=outside)
    )


def _extras(repository: Repository, record: KeepRecord) -> list[bytes]:
    """What was brought beside git's own and is still as it was."""
    gone = []
    for path, known in sorted(record.extras.items()):
        where = place(repository.top, path)
        if os.path.lexists(where) and fingerprint(where) == known:
            gone.append(path)
    return gone
