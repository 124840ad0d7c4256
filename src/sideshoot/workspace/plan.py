"""Which paths of the user's tree a keep changes, and into what.

There are two ways to the same answer. Where the user's tree still has at every path what the base
has there, the result's entries are the answer, and only those paths are looked at: the cost grows
with the change and not with the repository. As soon as one path differs, or a file turns into a
folder or back, the whole tree is merged in the object store.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.errors import UsageError
from sideshoot.git.trees import GITLINK, Delta, Entry, changed_tree, differences
from sideshoot.text import show_path
from sideshoot.workspace.base import user_snapshot
from sideshoot.workspace.compare import FileChange, changed_files
from sideshoot.workspace.marks import in_words
from sideshoot.workspace.merge import Merged, Side, Stages, merge_commits, take_side
from sideshoot.workspace.places import facts, meant_by, names_of, parents
from sideshoot.workspace.present import IndexEntry, Present, index_at, present_at
from sideshoot.workspace.scratch import with_copy
from sideshoot.workspace.staging import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository


@dataclass(frozen=True, slots=True)
class Change:
    """One path, from what the user has there to what they shall have."""

    path: bytes
    old: Entry | None
    new: Entry | None
    present: Present


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    changes: tuple[Change, ...]
    index: Mapping[bytes, IndexEntry]
    """The user's index at those paths."""
    conflicts: Mapping[bytes, Stages] = field(default_factory=dict)
    span: tuple[str, str] = ("", "")
    """Two trees or commits that differ at the changed paths as the plan does, and maybe elsewhere."""
    tree: str | None = None
    """The whole tree as it will be, where it had to be made."""


@dataclass(frozen=True, slots=True)
class Source:
    """A change to be brought: from `base` to `result`, commits whose history says where they met."""

    base: str
    result: str
    name: str = "theirs"
    """What it is called where both sides changed the same place."""


def selected(
    deltas: Sequence[Delta], paths: Collection[bytes], beside: Collection[bytes] = ()
) -> list[Delta]:
    """The differences at these paths or below them; all, if none are named.

    :param beside: what the result has beside its tree, and a path may mean as well.
    :raises UsageError: nothing changed at one of them.
    """
    if not paths:
        return list(deltas)
    is_meant = meant_by(paths)
    chosen = [delta for delta in deltas if is_meant(delta.path)]
    held = [*(delta.path for delta in chosen), *beside]
    met = {name for path in held for name in names_of(path)}
    for name in sorted({path.rstrip(b"/") for path in paths} - met):
        raise UsageError(f"the result changes nothing at {show_path(name)}")
    return chosen


def make_plan(
    repository: Repository,
    source: Source,
    *,
    paths: Collection[bytes] = (),
    beside: Collection[bytes] = (),
    side: Side | None = None,
    folder: Path,
) -> Plan:
    """Find what a keep has to write; writes nothing but objects.

    :param paths: bring only what changed at these paths or below them.
    :param beside: what the result has beside its tree, and a path may mean as well.
    :param side: settle conflicts for this side; `None` leaves them in the plan.
    :param folder: takes scratch files.
    """
    deltas = selected(differences(repository.git, source.base, source.result), paths, beside)
    quick = _unmoved(repository, source, deltas, folder)
    if quick is not None:
        return quick
    theirs = chosen_commit(repository, source, deltas, folder) if paths else source.result
    return _merge(repository, source, theirs, side, folder)


def plan_tree(repository: Repository, ours: str, merged: Merged, folder: Path) -> Plan:
    """The plan that turns the user's tree, whose snapshot is `ours`, into a merged one."""
    deltas = differences(repository.git, ours, merged.tree)
    index, present = look_at(repository, deltas, folder, also=merged.conflicts)
    blocked: dict[bytes, Stages] = {}
    changes = []
    for delta in deltas:
        found = present[delta.path]
        if found.entry == delta.new and not found.is_folder:
            continue
        if found.entry != delta.old:
            blocked[delta.path] = _stages(delta, found)
        changes.append(Change(delta.path, delta.old, delta.new, found))
    return Plan(
        tuple(changes),
        index,
        {**merged.conflicts, **blocked},
        span=(ours, merged.tree),
        tree=merged.tree,
    )


def describe(repository: Repository, plan: Plan) -> tuple[FileChange, ...]:
    """What a plan changes, for people."""
    if not plan.changes:
        return ()
    return tuple(changed_files(repository, *plan.span, [change.path for change in plan.changes]))


def _unmoved(
    repository: Repository, source: Source, deltas: Sequence[Delta], folder: Path
) -> Plan | None:
    """The plan where the user has at every path what the base has, or already the result."""
    if _turns_kind(deltas) or any(d.path.rsplit(b"/", 1)[-1] == ATTRIBUTES for d in deltas):
        return None
    index, present = look_at(repository, deltas, folder)
    changes = []
    for delta in deltas:
        found = present[delta.path]
        if found.is_folder and not _is_gitlink(delta):
            return None
        if found.entry == delta.new:
            continue
        if found.entry != delta.old:
            return None
        changes.append(Change(delta.path, delta.old, delta.new, found))
    if any(_through_link(repository, change.path) for change in changes):
        return None
    return Plan(tuple(changes), index, span=(source.base, source.result))


def look_at(
    repository: Repository, deltas: Sequence[Delta], folder: Path, also: Collection[bytes] = ()
) -> tuple[dict[bytes, IndexEntry], dict[bytes, Present]]:
    """What the user's index (there and at `also`) and working tree have at the changed paths."""
    paths = [delta.path for delta in deltas]
    tracked = {d.path: d.old for d in deltas if d.old is not None}
    index = index_at(repository, [*paths, *also], tracked)
    known = {path: entry for path, entry in tracked.items() if entry.is_file}
    scratch_index = folder / "present-index"
    scratch_index.unlink(missing_ok=True)
    present = present_at(repository, paths, known=known, index=index, scratch_index=scratch_index)
    # A submodule is what the index says: its folder is a repository of the user's own.
    for path in [delta.path for delta in deltas if _is_gitlink(delta)]:
        found = present[path]
        if found.facts is None or found.is_folder:
            staged = index.get(path)
            present[path] = Present(staged.entry if staged else None, found.facts)
    return index, present


def _merge(
    repository: Repository, source: Source, theirs: str, side: Side | None, folder: Path
) -> Plan:
    git = with_copy(repository.git, repository.index, folder / "ours-index")
    ours = user_snapshot(repository, git).tree
    head = repository.head()
    ours_commit = repository.commit(
        ours,
        parents=(source.base, head) if head else (source.base,),
        message="sideshoot: the user's tree\n",
    )
    merged = merge_commits(repository, ours_commit, theirs)
    if merged.conflicts and side is not None:
        their_tree = repository.tree_of(theirs)
        merged = take_side(
            repository, merged, side=side, ours=ours, theirs=their_tree, folder=folder
        )
    elif merged.conflicts:
        merged = in_words(
            repository, merged, ours=ours_commit, theirs=theirs, name=source.name, folder=folder
        )
    return plan_tree(repository, ours, merged, folder)


def chosen_commit(
    repository: Repository, source: Source, deltas: Sequence[Delta], folder: Path
) -> str:
    """A commit with the chosen paths of the result alone, and the same history."""
    tree = changed_tree(
        repository.git,
        source.base,
        {delta.path: delta.new for delta in deltas},
        index=folder / "chosen-index",
        null_id=repository.null_id,
    )
    return repository.commit(tree, parents=(source.base,), message="sideshoot: chosen paths\n")


def _turns_kind(deltas: Sequence[Delta]) -> bool:
    """Whether a file becomes a folder or the other way about."""
    paths = {delta.path for delta in deltas}
    return any(not paths.isdisjoint(parents(path)) for path in paths)


def _through_link(repository: Repository, path: bytes) -> bool:
    """Whether something that is no folder lies above a path: a link would lead out of the tree."""
    above = (facts(repository.top, parent) for parent in parents(path))
    return any(found is not None and not stat.S_ISDIR(found.st_mode) for found in above)


def _is_gitlink(delta: Delta) -> bool:
    return any(entry is not None and entry.mode == GITLINK for entry in (delta.old, delta.new))


def _stages(delta: Delta, found: Present) -> Stages:
    sides = {1: delta.old, 2: found.entry, 3: delta.new}
    return {stage: entry for stage, entry in sides.items() if entry is not None}
