"""Put new files in the place of old ones: all of them, or none, through a crash too.

New contents lie ready in a folder of the same file system, and every file that will be replaced has
a second name there, before the first of the user's files is touched. A journal says what is meant.
Then each file is renamed into place. Whoever finds the journal later either finishes or takes back:

- no ``swapped`` mark: take back, by the second names;
- the mark is there: all files are in place, and only the rest (index, record) is to be finished.

A file that somebody changed after the crash is theirs: it is left, and the old content stays in the
folder, whose name is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import KeepRefused
from sideshoot.text import show_path
from sideshoot.workspace.places import facts, from_text, parents, place, to_text
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

JOURNAL = "journal.json"
MARK = "swapped"


@dataclass(frozen=True, slots=True)
class Item:
    """One path to be changed."""

    path: bytes
    new: bytes | None
    """The place of what shall lie there, a file, link or folder; `None` removes it."""
    seen: os.stat_result | None
    """What must lie there now; `None` for nothing."""

    @property
    def identity(self) -> list[int] | None:
        return identity(self.seen)


class Swap:
    """A change of files in the working tree at `top`, prepared in `folder`."""

    def __init__(self, top: Path, folder: Path, items: Sequence[Item]) -> None:
        self.top = top
        self.folder = folder
        # Removals first, so that a folder may take the place of a file and the other way about.
        self.items = sorted(items, key=lambda item: (item.new is not None, item.path))

    def name_old(self) -> None:
        """Give every file that goes a second name: ``old/0``, ``old/1`` … in the order of `items`.

        :raises KeepRefused: something lies in the way; nothing was touched.
        """
        self._look()
        (self.folder / "old").mkdir()
        for number, item in enumerate(self.items):
            if item.seen is not None and not stat.S_ISDIR(item.seen.st_mode):
                _second_name(place(self.top, item.path), place(self.folder, b"old/%d" % number))

    def write_journal(self, note: dict[str, Any]) -> None:
        """Say what is meant; from here on, a crash is taken back.

        :param note: what the one who finishes must know; it comes back from `read_note`.
        """
        journal = {
            "note": note,
            "folders": _folders(self.top, self.items),
            "items": [*map(_journalled, self.items)],
        }
        _write(self.folder / JOURNAL, journal)
        reached("keep.journalled")

    def run(self) -> None:
        """Put everything in place.

        :raises KeepRefused: something changed in the meantime; all is as it was.
        """
        try:
            self._look(linked=True)
            for number, item in enumerate(self.items):
                self._put(number, item)
                reached("keep.swapping")
        except KeepRefused:
            self.take_back()
            raise
        except OSError as error:
            self.take_back()
            raise _stopped(error) from None
        _write(self.folder / MARK, {})
        reached("keep.swapped")

    def take_back(self) -> list[bytes]:
        """Undo what `run` did so far.

        :return: paths that somebody changed since; they are left as they are.
        """
        return take_back(self.top, self.folder)

    def _look(self, *, linked: bool = False) -> None:
        """Refuse if a path is not what it was when the change was planned."""
        removed = {item.path for item in self.items if item.new is None}
        for item in self.items:
            now = facts(self.top, item.path)
            if item.seen is None and now is not None and self._vacated(item.path, now, removed):
                continue
            if not _same(item.seen, now, linked=linked):
                raise KeepRefused(
                    f"{show_path(item.path)} changed while it was to be kept; nothing was written, run it again"
                )
            for parent in parents(item.path):
                above = facts(self.top, parent)
                if above and not stat.S_ISDIR(above.st_mode) and parent not in removed:
                    raise KeepRefused(
                        f"{show_path(parent)} is not a folder here, so {show_path(item.path)} "
                        "can't be written; nothing was written"
                    )

    def _vacated(self, path: bytes, now: os.stat_result, removed: set[bytes]) -> bool:
        """Whether a folder in the way of a file will be empty once the removals are done."""
        if not stat.S_ISDIR(now.st_mode):
            return path in removed
        return all(inner in removed for inner in _files_below(self.top, path))

    def _put(self, number: int, item: Item) -> None:
        target = place(self.top, item.path)
        if item.new is None:
            if item.seen is not None and stat.S_ISDIR(item.seen.st_mode):
                os.rename(target, place(self.folder, b"old/%d" % number))
            else:
                os.unlink(target)
            _remove_empty(self.top, parents(item.path))
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if item.seen is not None:
            os.rename(item.new, target)
            return
        with contextlib.suppress(OSError):
            os.rmdir(target)  # a folder that the removals left empty
        _move_to_free_place(item.new, target)


def read_note(folder: Path) -> dict[str, Any] | None:
    """What was said to `Swap.prepare`, or `None` if the folder has no whole journal."""
    journal = _read(folder / JOURNAL)
    return None if journal is None else dict(journal["note"])


def is_swapped(folder: Path) -> bool:
    """Whether all files of a journal are in place."""
    return (folder / MARK).exists()


def take_back(top: Path, folder: Path) -> list[bytes]:
    """Put the old files back in place, as the journal in `folder` says.

    :return: paths that somebody changed since; they are left as they are.
    """
    journal = _read(folder / JOURNAL)
    if journal is None:
        return []
    kept = []
    folders = {from_text(path): mode for path, mode in journal["folders"].items()}
    for number, record in reversed([*enumerate(journal["items"])]):
        path = from_text(record["path"])
        old = place(folder, b"old/%d" % number)
        if not _put_back(top, path, record, old, folders):
            kept.append(path)
    _make_again(top, folders)
    return kept


def _put_back(
    top: Path, path: bytes, record: dict[str, Any], old: bytes, folders: Collection[bytes]
) -> bool:
    now = facts(top, path)
    target = place(top, path)
    mine = now is not None and _mine(now, record["new"])
    if record["old"] is None:
        if mine:
            _remove_new(target, now)
        _remove_empty(top, [folder for folder in parents(path) if folder not in folders])
        return mine or now is None or record["new"] is None or stat.S_ISDIR(now.st_mode)
    if now is not None and now.st_ino == record["old"][1]:
        return True  # never replaced
    if now is not None and not mine and not _is_empty_folder(target, now):
        return False
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if now is not None and stat.S_ISDIR(now.st_mode):
        os.rmdir(target)
    os.rename(old, target)
    return True


def _remove_new(target: bytes, now: os.stat_result | None) -> None:
    if now is not None and stat.S_ISDIR(now.st_mode):
        shutil.rmtree(target)
    else:
        os.unlink(target)


def _mine(now: os.stat_result, new: list[int] | None) -> bool:
    if new is None or now.st_ino != new[1] or stat.S_IFMT(now.st_mode) != stat.S_IFMT(new[0]):
        return False
    return stat.S_ISDIR(now.st_mode) or identity(now) == new


def _is_empty_folder(target: bytes, now: os.stat_result) -> bool:
    return stat.S_ISDIR(now.st_mode) and not os.listdir(target)


def identity(found: os.stat_result | None) -> list[int] | None:
    """By what a file is known again; a second name does not change it."""
    if found is None:
        return None
    return [found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns]


def _same(seen: os.stat_result | None, now: os.stat_result | None, *, linked: bool) -> bool:
    """Whether a path is what it was. A second name changes the time of the last status change."""
    if seen is None or now is None:
        return seen is now
    return identity(seen) == identity(now) and (linked or seen.st_ctime_ns == now.st_ctime_ns)


def _journalled(item: Item) -> dict[str, Any]:
    new = None if item.new is None else identity(os.lstat(item.new))
    return {"path": to_text(item.path), "old": item.identity, "new": new}


def _folders(top: Path, items: Iterable[Item]) -> dict[str, int]:
    """The folders above the items that are there before the change, and their modes."""
    above = {parent for item in items for parent in parents(item.path)}
    found = {path: facts(top, path) for path in sorted(above)}
    return {
        to_text(path): stat.S_IMODE(seen.st_mode)
        for path, seen in found.items()
        if seen is not None and stat.S_ISDIR(seen.st_mode)
    }


def _make_again(top: Path, folders: Mapping[bytes, int]) -> None:
    """Make the folders that the change emptied and removed."""
    for path in sorted(folders):
        target = place(top, path)
        if not os.path.lexists(target):
            os.mkdir(target)
            os.chmod(target, folders[path])


def _second_name(source: bytes, target: bytes) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        # No hard links here (some file systems, some systems for symbolic links): a copy must do.
        shutil.copy2(source, target, follow_symlinks=False)


def _move_to_free_place(source: bytes, target: bytes) -> None:
    """Rename, but never over anything that appeared a moment ago."""
    if not os.path.isdir(source) or os.path.islink(source):
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            pass
        else:
            os.unlink(source)
            return
    if os.path.lexists(target):
        raise FileExistsError(17, "something appeared there", os.fsdecode(target))
    os.rename(source, target)


def _remove_empty(top: Path, folders: Iterable[bytes]) -> None:
    """Remove folders that hold nothing any more, as git does; innermost first."""
    for folder in sorted(folders, reverse=True):
        try:
            os.rmdir(place(top, folder))
        except FileNotFoundError:
            continue
        except OSError:
            return


def _files_below(top: Path, path: bytes) -> Iterable[bytes]:
    for folder, folders, files in os.walk(place(top, path)):
        links = [name for name in folders if os.path.islink(folder + b"/" + name)]
        for name in [*files, *links]:
            yield (folder + b"/" + name)[len(os.fsencode(top)) + 1 :]


def _stopped(error: OSError) -> KeepRefused:
    place = error.filename2 or error.filename  # of two names, the second is the user's
    where = f" at {show_path(place)}" if place else ""
    return KeepRefused(f"{error.strerror}{where}; everything was put back as it was")


def _write(target: Path, content: object) -> None:
    """Write a file so that it is whole or absent, also after a power cut."""
    part = target.with_name(f"{target.name}.part")
    with part.open("w", encoding="ascii") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def _read(source: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(source.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    return content
