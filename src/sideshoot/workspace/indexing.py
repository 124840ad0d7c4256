"""Bring a change into the user's index, and leave there what they had staged.

For each path the change from old to new is merged into what the index has. Where the index has the
old, it gets the new. Where it has something else (the user staged one thing and then went on), the
change is merged into that; and if that can't be done, the entry stays, and the change lies in the
working tree alone, unstaged.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, KeepRefused
from sideshoot.git.trees import Entry, entries_at, index_info
from sideshoot.workspace.index_file import IndexFile
from sideshoot.workspace.merge import merge_trees
from sideshoot.workspace.present import PATHSPEC_LIMIT, index_around
from sideshoot.workspace.scratch import with_copy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.merge import Stages
    from sideshoot.workspace.plan import Change, Plan

LOCK = "lock"
_PATIENCE_S = 3.0
"""How long another git command may hold the index before a keep gives up."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What the index gets."""

    entries: Mapping[bytes, Entry | None]
    stages: Mapping[bytes, Stages]
    """Conflicted paths, as an unfinished merge leaves them."""
    left: tuple[bytes, ...] = ()
    """Paths whose change could not be staged beside what the user has staged there."""
    before: Mapping[bytes, Entry | None] = field(default_factory=dict)
    """What the index has at the paths of `entries`."""
    skipped: tuple[bytes, ...] = ()
    """Paths that are outside of a sparse checkout afterwards."""


def plan_index(repository: Repository, plan: Plan, folder: Path) -> Staged:
    """Find the new index entries of the changed paths."""
    entries: dict[bytes, Entry | None] = {}
    apart, left = [], []
    for change in plan.changes:
        staged = plan.index.get(change.path)
        entry = staged.entry if staged else None
        if change.path in plan.conflicts:
            continue
        if staged and (staged.hidden or staged.stages.keys() - {0}):
            left.append(change.path)
        elif entry == change.old:
            entries[change.path] = change.new
        elif entry != change.new:
            apart.append((change, entry))
    merged = _merged_apart(repository, apart, folder)
    left += [change.path for change, _ in apart if change.path not in merged]
    entries |= merged
    stages = {path: stages for path, stages in plan.conflicts.items() if len(stages) > 1}
    before = {path: entry_at(plan, path) for path in entries}
    return Staged(entries, stages, tuple(left), before)


def with_room(repository: Repository, staged: Staged) -> Staged:
    """The same, and what has to go for it: of a file and a folder in one place git keeps only one.

    The working tree knows already which; the index may still have what the user has deleted.
    """
    added = [p for p, new in staged.entries.items() if new is not None and not staged.before.get(p)]
    gone = index_around(repository, added)
    return replace(
        staged,
        entries={**dict.fromkeys(gone), **staged.entries},
        before={**gone, **staged.before},
    )


def entry_at(plan: Plan, path: bytes) -> Entry | None:
    """What the user's index has at a path of the plan; an unfinished merge counts as nothing."""
    found = plan.index.get(path)
    return found.entry if found else None


@contextlib.contextmanager
def index_lock(repository: Repository, folder: Path) -> Iterator[None]:
    """Hold the lock that every git command takes before it writes this index.

    It is a second name of a file in `folder`, so that `release_index` can tell a lock of ours that
    a crash left from one of somebody else.

    :raises KeepRefused: another holds it for longer than a moment, or the folder can't be written.
    """
    own, lock = folder / LOCK, _lock_of(repository)
    give_up = time.monotonic() + _PATIENCE_S
    try:
        own.touch()
        while not _linked(own, lock):
            if time.monotonic() > give_up:
                raise KeepRefused(
                    f"{lock} is there: another git command runs, or one was killed; "
                    "wait for it, or remove that file; nothing was changed"
                )
            time.sleep(0.02)
    except OSError as error:
        raise KeepRefused(
            f"the index can't be locked: {error.strerror}: {lock}; nothing was changed"
        ) from None
    try:
        yield
    finally:
        release_index(repository, folder)


def release_index(repository: Repository, folder: Path) -> None:
    """Let go of the lock that was taken with this folder, if it is still held."""
    own, lock = folder / LOCK, _lock_of(repository)
    with contextlib.suppress(FileNotFoundError):
        if own.samefile(lock):
            lock.unlink()


def _lock_of(repository: Repository) -> Path:
    return repository.index.with_name("index.lock")


def _linked(own: Path, lock: Path) -> bool:
    try:
        lock.hardlink_to(own)
    except FileExistsError:
        return False
    return True


def write_index(repository: Repository, staged: Staged, target: Path) -> None:
    """Write the index as it will be into a file beside; the user's is read and not changed."""
    try:
        if _written_in_place(repository, staged, target):
            return
        git = with_copy(repository.git, repository.index, target)
    except OSError as error:
        raise _not_made(error.strerror) from None
    changes = [*staged.entries.items(), *((path, None) for path in staged.stages)]
    info = index_info(changes, repository.null_id)
    for path, stages in staged.stages.items():
        for stage, entry in sorted(stages.items()):
            info += b"%s %s %d\t%s\0" % (entry.mode.encode(), entry.oid.encode(), stage, path)
    try:
        git.run("update-index", "--add", "--replace", "-z", "--index-info", stdin=info)
    except GitError as error:
        raise _not_made(error.reason) from None
    if staged.skipped:
        names = b"\0".join(staged.skipped) + b"\0"
        git.run("update-index", "-z", "--skip-worktree", "--stdin", stdin=names)


def _not_made(reason: str | None) -> KeepRefused:
    return KeepRefused(f"the index can't be made: {reason}; nothing was changed")


def _written_in_place(repository: Repository, staged: Staged, target: Path) -> bool:
    """Write an index in which only entries change that are there before and after, if it is that."""
    before = {path: entry for path, entry in staged.before.items() if entry is not None}
    after = {path: entry for path, entry in staged.entries.items() if entry is not None}
    if not after or not before.keys() == after.keys() == staged.entries.keys():
        return False
    if staged.stages or staged.skipped:
        return False
    index = IndexFile.read(repository.index, repository.object_format)
    if index is None or not index.replace(before, after):
        return False
    index.write(target)
    return True


def know_files(
    repository: Repository,
    target: Path,
    entries: Mapping[bytes, Entry],
    files: Mapping[bytes, os.stat_result],
) -> None:
    """Let an index know the files that were just written, so that `git status` need not read them.

    Best effort: an index that does not know them is right all the same.

    :param entries: what it has at these paths.
    :param files: those of the files that still are what was written.
    """
    # Not trusted, though it is ours: after a crash it may not be whole.
    index = IndexFile.read(target, repository.object_format)
    if index is None or not index.know(entries, files):
        _refresh(repository, target, [*files])
        return
    with contextlib.suppress(OSError):
        fresh = target.with_suffix(".fresh")
        index.write(fresh)
        fresh.replace(target)


def _refresh(repository: Repository, target: Path, paths: Sequence[bytes]) -> None:
    git = repository.git.with_index(target)
    with contextlib.suppress(GitError):
        if len(paths) > PATHSPEC_LIMIT:
            git.run("update-index", "-q", "--refresh", accept=(0, 1))
            return
        literal = git.having(GIT_LITERAL_PATHSPECS="1")
        literal.run(
            "add", "--refresh", "--sparse", "--ignore-errors", "--pathspec-from-file=-",
            "--pathspec-file-nul", stdin=b"\0".join(paths) + b"\0", accept=(0, 1, 128),
        )  # fmt: skip


def _merged_apart(
    repository: Repository, apart: Sequence[tuple[Change, Entry | None]], folder: Path
) -> dict[bytes, Entry | None]:
    """Merge changes into entries that differ from the working tree; conflicts are left out."""
    if not apart:
        return {}
    sides = {
        "base": {change.path: change.old for change, _ in apart},
        "ours": {change.path: entry for change, entry in apart},
        "theirs": {change.path: change.new for change, _ in apart},
    }
    trees = {}
    for name, entries in sides.items():
        git = repository.git.with_index(folder / f"{name}-apart-index")
        present = [(path, entry) for path, entry in entries.items() if entry is not None]
        info = index_info(present, repository.null_id)
        git.run("update-index", "--add", "--replace", "-z", "--index-info", stdin=info)
        trees[name] = git.text("write-tree", "--missing-ok")
    merged = merge_trees(repository, **trees)
    paths = [change.path for change, _ in apart if change.path not in merged.conflicts]
    found = entries_at(repository.git, merged.tree, paths)
    return {path: found.get(path) for path in paths}
