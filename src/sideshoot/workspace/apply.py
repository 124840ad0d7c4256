"""Carry out a planned change of the user's tree and index: whole, or not at all.

Each change has a folder of its own below `<state>/keep/`, which holds all that is needed to finish
it or to take it back; `recover` does so for what a crash left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.errors import Busy
from sideshoot.git.trees import Entry
from sideshoot.lock import locked
from sideshoot.workspace.exclude import FOLDER, exclude_folder
from sideshoot.workspace.indexing import know_files, release_index, write_index
from sideshoot.workspace.places import facts, from_text, to_text
from sideshoot.workspace.record import KeepRecord, save_record
from sideshoot.workspace.refs import undo_ref
from sideshoot.workspace.staging import match_permissions
from sideshoot.workspace.steps import reached
from sideshoot.workspace.swap import Item, Swap, identity, is_swapped, read_note, take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.indexing import Staged
    from sideshoot.workspace.plan import Change

_WHERE = "where.json"
_INDEX = "index"


@dataclass(frozen=True, slots=True)
class Deed:
    """A change that is ready to be carried out."""

    job_id: str
    kind: str
    """`keep` or `undo`."""
    changes: Sequence[Change]
    places: Mapping[bytes, bytes]
    """Where the new contents lie."""
    staged: Staged | None
    """The new index entries; `None` leaves the index alone."""
    record: KeepRecord | None
    """What an undo will need, but for the raw old contents; `None` if this is one."""
    undo_after: str | None = None
    """What `undo_ref` names afterwards where there is no record; `None` removes it."""
    ref_updates: Sequence[tuple[str, str, str]] = ()
    """Refs to move as well: name, new, old."""
    extras: Mapping[bytes, bytes] = field(default_factory=dict)
    """Files and folders beside git's own, and where they lie ready."""
    removed: Sequence[bytes] = ()
    """Paths beside git's own that go."""
    confirm: Callable[[], None] = lambda: None
    """Called when all is ready and nothing is written yet; what it raises stops it."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done about a change that a crash had left half-done."""

    job_id: str
    kind: str
    finished: bool
    """Whether it was finished; otherwise it was taken back."""
    left: tuple[bytes, ...] = ()
    """Paths that somebody changed since the crash, which were left as they are."""
    folder: Path | None = None
    """Where the old contents of those paths are."""


@contextlib.contextmanager
def change_lock(repository: Repository, *, timeout_s: float = 60.0) -> Iterator[None]:
    """Let one command at a time change working trees of this repository.

    :raises Busy: another does, for longer than `timeout_s`.
    """
    path = repository.state_dir / "keep.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    busy = "another keep or undo is at work in this repository; try again in a moment"
    with locked(path, timeout_s, busy=busy):
        yield


@contextlib.contextmanager
def change_folder(repository: Repository, job_id: str) -> Iterator[Path]:
    """A folder for one change, in the same file system as the tree, gone at the end.

    Where the tree lies on another file system than the git directory, a link leads to it.
    """
    parent = repository.state_dir / "keep"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{job_id}-"))
    if parent.stat().st_dev != repository.top.stat().st_dev:
        exclude_folder(repository, repository.top / FOLDER)
        beside = repository.top / FOLDER / f".{folder.name}"
        beside.mkdir(parents=True)
        folder.rmdir()
        folder.symlink_to(beside)
    where = {"top": str(repository.top), "git_dir": str(repository.git_dir), "job": job_id}
    (folder / _WHERE).write_text(json.dumps(where), encoding="utf-8", errors="surrogateescape")
    try:
        yield folder
    finally:
        _remove(folder)


def carry_out(repository: Repository, deed: Deed, folder: Path) -> None:
    """Do it; the caller holds `change_lock`, and `index_lock` where the index is to change.

    :raises KeepRefused: something is in the way; nothing was changed.
    """
    items = _items(repository.top, deed)
    swap = Swap(repository.top, folder, items)
    if deed.staged is not None:
        write_index(repository, deed.staged, folder / _INDEX)
    swap.name_old()
    undo = deed.undo_after
    if deed.record is not None:
        raw = _raw_entries(repository, swap, deed.changes)
        undo = save_record(repository, replace(deed.record, raw=raw))
    deed.confirm()
    reached("keep.prepared")
    note = {
        "kind": deed.kind,
        "undo": undo,
        "index": deed.staged is not None,
        "refs": list(deed.ref_updates),
        "files": _new_files(deed),
    }
    swap.write_journal(note)
    swap.run()
    _settle(repository, deed.job_id, note, folder)


def recover(repository: Repository) -> list[Recovered]:
    """Finish or take back what a crash left half-done; cheap where there is nothing."""
    parent = repository.state_dir / "keep"
    if not parent.is_dir() or not any(parent.iterdir()):
        return []
    try:
        with change_lock(repository, timeout_s=0):
            found = [_recover_one(repository, folder) for folder in sorted(parent.iterdir())]
    except Busy:
        return []  # these belong to a command that is alive
    return [recovered for recovered in found if recovered is not None]


def _recover_one(repository: Repository, folder: Path) -> Recovered | None:
    try:
        where = json.loads((folder / _WHERE).read_text("utf-8", errors="surrogateescape"))
    except (OSError, ValueError):
        _remove(folder)  # it died before it did anything
        return None
    place = replace(repository, top=Path(where["top"]), git_dir=Path(where["git_dir"]))
    note = read_note(folder)
    if note is None:
        release_index(place, folder)
        _remove(folder)
        return None
    finished = is_swapped(folder)
    left: list[bytes] = []
    if finished:
        _settle(place, where["job"], note, folder)
    else:
        left = take_back(place.top, folder)
    release_index(place, folder)
    if left:
        folder = folder.rename(repository.state_dir / f"saved-{folder.name}")
    else:
        _remove(folder)
    return Recovered(where["job"], note["kind"], finished, tuple(left), folder if left else None)


def _settle(repository: Repository, job_id: str, note: dict[str, Any], folder: Path) -> None:
    """What is left to do once the files are in place; may be done twice."""
    index = folder / _INDEX
    if note["index"] and index.exists():
        _tell_index(repository, index, note["files"])
        index.replace(repository.index)
    reached("keep.indexed")
    for name, new, old in note["refs"]:
        if repository.ref(name) == old:
            repository.git.run("update-ref", "-m", "sideshoot: keep", name, new, old)
    if note["undo"] is None:
        repository.git.run("update-ref", "-d", undo_ref(job_id))
    else:
        repository.git.run("update-ref", undo_ref(job_id), note["undo"])
    reached("keep.settled")


def _new_files(deed: Deed) -> dict[str, list[Any]]:
    """What the index has of the files that are new, and by what each of them is known again."""
    entries = deed.staged.entries if deed.staged else {}
    return {
        to_text(change.path): [
            change.new.mode,
            change.new.oid,
            identity(os.lstat(deed.places[change.path])),
        ]
        for change in deed.changes
        if change.new is not None
        and change.path in deed.places
        and entries.get(change.path) == change.new
    }


def _tell_index(repository: Repository, index: Path, files: Mapping[str, list[Any]]) -> None:
    entries, found = {}, {}
    for text, (mode, oid, known) in files.items():
        path = from_text(text)
        entries[path] = Entry(mode, oid)
        now = facts(repository.top, path)
        if now is not None and identity(now) == known:
            found[path] = now
    know_files(repository, index, entries, found)


def _items(top: Path, deed: Deed) -> list[Item]:
    items = []
    for change in deed.changes:
        if change.new is not None and not change.new.is_file:
            continue  # a submodule: only the index knows it
        if change.new is None and (change.old is None or not change.old.is_file):
            continue
        if change.new is None and change.present.facts is None:
            continue  # outside a sparse checkout, and going: only the index has it
        new = deed.places.get(change.path)
        if new is not None:
            match_permissions(top, change.path, new)
        seen = None if change.present.is_folder else change.present.facts
        items.append(Item(change.path, new, seen))
    items += [Item(path, place, None) for path, place in deed.extras.items()]
    items += [Item(path, None, os.lstat(os.fsencode(top) + b"/" + path)) for path in deed.removed]
    return items


def _raw_entries(
    repository: Repository, swap: Swap, changes: Sequence[Change]
) -> dict[bytes, Entry | None]:
    """Store what lies at the changed paths byte for byte, by the second names."""
    known = {change.path: change for change in changes}
    entries: dict[bytes, Entry | None] = {}
    filtered = []
    for number, item in enumerate(swap.items):
        change = known.get(item.path)
        if item.seen is None or change is None or change.old is None:
            continue
        entries[item.path] = change.old
        if not change.present.verbatim:
            filtered.append((item.path, change.old.mode, number))
    # The names are relative to the working tree, so that no folder above spoils a line.
    git = replace(repository.git, folder=swap.folder).having(GIT_WORK_TREE=str(swap.folder))
    names = "".join(f"old/{number}\n" for _, _, number in filtered).encode()
    argv = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    oids = git.text(*argv, stdin=names).split() if filtered else []
    for (path, mode, _), oid in zip(filtered, oids, strict=True):
        entries[path] = Entry(mode, oid)
    return entries


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        shutil.rmtree(folder.resolve(), ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.resolve().parent.rmdir()
        folder.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
