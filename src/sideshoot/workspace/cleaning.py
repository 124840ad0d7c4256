"""Make the folders of the pool what they were when they were opened, and seal them.

Run as a module it does so with all that wait for it, and empties the trash after that:
`python -m sideshoot.workspace.cleaning TOP FOLDER…`, where `TOP` is the user's working tree, and the
others hold workspaces.

What an agent left is not read, and nothing is compared by its contents. A file stays if it has the
very times, inode and size that the index noted before the agent began; each change of a file, of its
mode, of its other attributes or of its names sets a time that nobody can set back. All else goes to the
trash, and git writes what is missing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import Busy, GitError, SideshootError
from sideshoot.git import discover
from sideshoot.lock import locked
from sideshoot.workspace import pool
from sideshoot.workspace.caches import caches_in, note_survivors
from sideshoot.workspace.copying import EXTENDED, FLAGS, STAGE, STAT, VALID, stamp
from sideshoot.workspace.folders import made_for
from sideshoot.workspace.included import index_entries, readable
from sideshoot.workspace.manner import manner_of
from sideshoot.workspace.occupants import is_mounted, is_occupied
from sideshoot.workspace.places import parents, place
from sideshoot.workspace.pool_seal import await_next_second, git_in, nature, seal
from sideshoot.workspace.steps import reached
from sideshoot.workspace.trash import be_idle, empty_trash, move_to_trash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.copying import Seen
    from sideshoot.workspace.pool import Entry

_LINK = 0o160000


class _Unfit(Exception):
    """The folder can't be used again."""


@dataclass
class _Known:
    """What belongs into a folder."""

    files: dict[bytes, Seen] = field(default_factory=dict)
    modules: set[bytes] = field(default_factory=set)
    """Folders of submodules, which are empty."""
    caches: set[bytes] = field(default_factory=set)
    folders: set[bytes] = field(default_factory=set)
    """The caches, and all folders above anything of these three kinds."""

    def __post_init__(self) -> None:
        self.folders |= self.caches
        for path in (*self.files, *self.modules, *self.caches):
            self.folders.update(parents(path))


@dataclass
class _Walked:
    """What was met in a folder."""

    folders: list[bytes] = field(default_factory=list)
    tracked: set[bytes] = field(default_factory=set)
    """Files and submodules that are as they should be."""
    removed: int = 0

    def finds_all_of(self, known: _Known) -> bool:
        return not self.removed and self.tracked == known.files.keys() | known.modules


def clean_pool(repository: Repository, holding: Sequence[Path]) -> set[Path]:
    """Clean each folder of the pool that waits for it; one that can't be is thrown away.

    :param repository: the user's working tree, whose configuration counts.
    :param holding: folders that hold workspaces.
    :return: all such folders that may hold trash now.
    """
    found = {*holding}
    for entry in pool.entries(repository.common_dir):
        if not entry.seal.exists():
            found.add(entry.parent)
            with contextlib.suppress(Busy, FileNotFoundError), locked(entry.lock, 0):
                _clean_or_drop(repository, entry)
    pool.sweep(repository.common_dir, found)
    return found


def _clean_or_drop(repository: Repository, entry: Entry) -> None:
    try:
        _clean(repository, entry)
    except (_Unfit, GitError, OSError, ValueError):
        pool.drop(entry)


def _clean(repository: Repository, entry: Entry) -> None:
    if entry.facts.manner != manner_of(repository):
        raise _Unfit
    git = git_in(repository, entry.folder, entry.index)
    known = _known(repository, entry, readable(git, entry.index))
    if not _walk(entry, known).finds_all_of(known):
        with _umask_of(entry.facts.nature):
            git.run("read-tree", "--reset", "-u", entry.facts.tree)
        known.files, _ = _tracked(repository, entry.index.read_bytes())
    await_next_second(entry.parent)
    walked = _walk(entry, known)
    if not walked.finds_all_of(known) or is_occupied(entry.folder) or is_mounted(entry.folder):
        raise _Unfit
    os.utime(entry.index)  # Now that a second has passed, no file is as young as the index.
    reached("pool.cleaned")
    note_survivors(entry.place, known.caches)
    fresh = entry.seal.with_name("seal.new")
    fresh.write_bytes(seal(entry.folder, walked.folders))
    fresh.rename(entry.seal)


def _known(repository: Repository, entry: Entry, index: bytes) -> _Known:
    files, modules = _tracked(repository, index)
    places = (repository.top, repository.common_dir)
    tracked = files.keys() | modules
    caches = caches_in(entry.folder, entry.facts.caches, tracked, not_into=places)
    return _Known(files, modules, caches)


def _tracked(repository: Repository, index: bytes) -> tuple[dict[bytes, Seen], set[bytes]]:
    """The files that an index knows, with their stat data, and the submodules."""
    files: dict[bytes, Seen] = {}
    modules: set[bytes] = set()
    id_size = len(repository.null_id) // 2
    for path, start, _ in index_entries(index, id_size):
        (flags,) = FLAGS.unpack_from(index, start + STAT.size + id_size)
        if flags & (VALID | STAGE | EXTENDED):
            raise _Unfit
        seen = STAT.unpack_from(index, start)
        if seen[6] == _LINK:
            modules.add(path)
        else:
            files[path] = seen
    return files, modules


def _walk(entry: Entry, known: _Known) -> _Walked:
    """Remove what does not belong into the folder, and put right what folders are like."""
    walked = _Walked()
    device = os.lstat(entry.folder).st_dev
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        folder = place(entry.folder, path).rstrip(b"/")
        if os.lstat(folder).st_dev != device:
            raise _Unfit
        if path:
            walked.folders.append(path)
        if path not in known.caches:
            _make_like(folder, entry.facts.nature)
            waiting += _sorted_out(entry, known, path, walked)
    return walked


def _sorted_out(entry: Entry, known: _Known, path: bytes, walked: _Walked) -> Iterator[bytes]:
    """Go through one folder; the folders in it that stay."""
    with os.scandir(place(entry.folder, path)) as found:
        listed = list(found)
    for one in listed:
        inside = path + b"/" + one.name if path else one.name
        is_folder = one.is_dir(follow_symlinks=False)
        if is_folder and inside in known.folders:
            yield inside
        elif is_folder and inside in known.modules and not os.listdir(one.path):
            walked.tracked.add(inside)
            yield inside
        elif inside in known.files and _is_same(one, known.files[inside]):
            walked.tracked.add(inside)
        else:
            _remove(one, is_folder=is_folder, trash=entry.parent)
            walked.removed += 1


def _is_same(found: os.DirEntry[bytes], seen: Seen) -> bool:
    # Without the device: some file systems have another number after each start of the machine.
    now = stamp(found.stat(follow_symlinks=False), seen[6])
    return now[:4] + now[5:] == seen[:4] + seen[5:]


def _make_like(folder: bytes, wanted: str) -> None:
    if nature(folder) != wanted:
        os.chmod(folder, _mode(wanted))
    if nature(folder) != wanted:
        raise _Unfit


def _mode(wanted: str) -> int:
    return int(wanted[1:].partition(",")[0])


@contextlib.contextmanager
def _umask_of(wanted: str) -> Iterator[None]:
    """Write files as who opened the workspace did, whoever is at it now."""
    before = os.umask(~_mode(wanted) & 0o777)
    try:
        yield
    finally:
        os.umask(before)


def _remove(found: os.DirEntry[bytes], *, is_folder: bool, trash: Path) -> None:
    if is_folder:
        move_to_trash(Path(os.fsdecode(found.path)), trash)
    else:
        os.unlink(found.path)


def main(argv: Sequence[str]) -> None:
    be_idle()
    repository = discover(Path(argv[0]))
    folders = clean_pool(repository, [*map(Path, argv[1:])])
    made = [place for folder in folders for place in made_for(repository, folder)]
    empty_trash(*folders, repository.state_dir, made=made)


if __name__ == "__main__":
    with contextlib.suppress(SideshootError, OSError):
        main(sys.argv[1:])
