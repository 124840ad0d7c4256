"""Give a workspace what its project needs and git ignores: `.env`, `node_modules`, `.venv`.

`.worktreeinclude` in the user's top folder names it, in the syntax of gitignore(5). Only what git
ignores in the workspace too is copied, so that no secret shows as untracked there.

An index beside the private one, `sideshoot-included`, holds what both of them know: the base's files
and the copies with their stat data. To git a copy is thus a file that it knows, so it is neither new
work nor an ignored output, whatever the agent does to the rules; and the stat data tell which copies
the agent has changed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.text import show_path
from sideshoot.workspace.caches import survivors
from sideshoot.workspace.copying import FLAGS, LENGTH, STAT, Seen, next_entry, path_bounds, stamp
from sideshoot.workspace.exclude import FOLDER
from sideshoot.workspace.folders import used_folders
from sideshoot.workspace.places import facts, parents, place
from sideshoot.workspace.scratch import scratch, with_copy
from sideshoot.workspace.sparse import covered_by
from sideshoot.workspace.trees import copy_trees

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from sideshoot.git import Git, Repository
    from sideshoot.workspace.place import Workspace

RULES = ".worktreeinclude"

_HEADER = struct.Struct(">4sII")
_NAMED = 3
"""Of what could not be copied, so many are named."""


@dataclass
class Given:
    """What a workspace was given beyond what git has."""

    files: list[tuple[bytes, Seen]] = field(default_factory=list)
    """Files and links, with what an index says of them."""
    linked: list[bytes] = field(default_factory=list)
    """The paths at which the workspace has links to the user's files."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, one line each."""


def include(
    repository: Repository, workspace: Workspace, given: Given, sparse: Collection[bytes] = ()
) -> None:
    """Copy into the new workspace what `.worktreeinclude` names, and note it.

    :param repository: the user's working tree.
    :param given: what the workspace was given already; that is not copied.
    :param sparse: the folders that the workspace has; all by default.
    :raises OSError: there is no room.
    :raises GitError: git can't read the rules.
    """
    rules = repository.top / RULES
    if rules.is_symlink() or (rules.exists() and not rules.is_file()):
        given.notes.append(f"{RULES} is not a file; nothing was copied for it")
    elif rules.exists():
        _copy(repository, workspace, rules, given, sparse)


def _copy(
    repository: Repository,
    workspace: Workspace,
    rules: Path,
    given: Given,
    sparse: Collection[bytes],
) -> None:
    present = [*given.linked, *survivors(workspace.claim)]
    wanted = _wanted(repository, workspace, rules, present)
    if sparse:
        is_covered = covered_by(sparse)
        wanted = [path for path in wanted if is_covered(path.rstrip(b"/"))]
    wanted = _outside(present, _ignored_there(repository, workspace, wanted))
    skip = _never_entered(repository, workspace, present)
    copied = copy_trees(repository.top, workspace.path, wanted, skip)
    given.files += copied.files
    given.notes += _left_out(copied.problems)
    given.notes += _leading_back(repository, workspace, copied.files)


def included_paths(workspace: Workspace) -> dict[bytes, Seen]:
    """The copies that the workspace was given, with what an index said of them then."""
    try:
        data = workspace.included_index.read_bytes()
    except FileNotFoundError:
        return {}
    mark = _mark(workspace)
    return {
        path: STAT.unpack_from(data, offset)
        for path, offset, end in index_entries(data, len(mark))
        if data[offset + STAT.size : offset + STAT.size + len(mark)] == mark
    }


def changed_included(workspace: Workspace) -> list[bytes]:
    """The copies that were written to since, or replaced; what was deleted is no output."""
    return [
        path for path, seen in included_paths(workspace).items() if _differs(workspace, path, seen)
    ]


def _differs(workspace: Workspace, path: bytes, seen: Seen) -> bool:
    try:
        found = os.lstat(place(workspace.path, path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISDIR(found.st_mode) and _facts(stamp(found, seen[6])) != _facts(seen)


def _facts(seen: Seen) -> Seen:
    # Without the device: some file systems have another number after each start of the machine.
    return seen[:4] + seen[5:]


# -- which files


def _wanted(
    repository: Repository, workspace: Workspace, rules: Path, present: Collection[bytes]
) -> list[bytes]:
    """What the rules mean in the user's tree: files, and folders with a slash of which all is meant."""
    look = ("ls-files", "--others", "--ignored", f"--exclude-from={rules}", "--directory", "-z")
    found = repository.git.fields(*look)
    folders = _of_workspaces(repository, workspace)
    ours = [os.fsencode(os.path.relpath(folder, repository.top)) for folder in folders]
    return _outermost(_outside([*ours, *present], found))


def _outside(places: Iterable[bytes], paths: Iterable[bytes]) -> list[bytes]:
    """Those of the paths that are at none of the places, and not below one."""
    inside = tuple(place + b"/" for place in places)
    return [path for path in paths if not (path + b"/").startswith(inside)]


def _outermost(paths: Iterable[bytes]) -> list[bytes]:
    # git names a folder of which all is meant, and some of what is in it as well.
    kept: list[bytes] = []
    for path in sorted(paths):
        if not (kept and kept[-1].endswith(b"/") and path.startswith(kept[-1])):
            kept.append(path)
    return kept


def _ignored_there(
    repository: Repository, workspace: Workspace, wanted: Sequence[bytes]
) -> list[bytes]:
    """Of these the files and folders that git ignores in the workspace, as paths without slashes.

    A folder that is not ignored as such may hold files that are.
    """
    wanted = [path for path in wanted if is_free(workspace, path.rstrip(b"/"))]
    folders = [path.rstrip(b"/") for path in wanted if path.endswith(b"/")]
    files = [path for path in wanted if not path.endswith(b"/")]
    whole = ignored_in(workspace, folders, as_folders=True)
    for folder in folders:
        if folder not in whole:
            files += _below(repository, folder)
    return sorted(whole | ignored_in(workspace, files))


def _below(repository: Repository, folder: bytes) -> list[bytes]:
    literal = repository.git.having(GIT_LITERAL_PATHSPECS="1")
    found = literal.fields("ls-files", "--others", "-z", "--", os.fsdecode(folder) + "/")
    return [path for path in found if not path.endswith(b"/")]


def is_free(workspace: Workspace, path: bytes) -> bool:
    """Whether nothing lies there that the base has, and no link is on the way."""
    top = workspace.path
    above = [facts(top, parent) for parent in parents(path)]
    if not all(found is None or stat.S_ISDIR(found.st_mode) for found in above):
        return False
    found = facts(top, path)
    return found is None or stat.S_ISDIR(found.st_mode)


def ignored_in(
    workspace: Workspace, paths: Collection[bytes], *, as_folders: bool = False
) -> set[bytes]:
    """Which of these paths git ignores in the workspace, where they do not exist yet."""
    if not paths:
        return set()
    made = [_made(workspace, path) for path in paths] if as_folders else []
    git = workspace.repository.git.with_index(workspace.private_index)
    names = b"\0".join(paths) + b"\0"
    found = git.run("check-ignore", "-z", "--stdin", stdin=names, accept=(0, 1)).lines
    for folders in reversed(made):
        _unmade(folders)
    return {*found}


def _made(workspace: Workspace, path: bytes) -> list[bytes]:
    # A rule for folders does not hold for a path at which there is none, and a path with a slash at
    # its end would be ignored by a rule for what is in the folder.
    folders = [place(workspace.path, name) for name in (*parents(path), path)]
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    for folder in missing:
        os.mkdir(folder)
    return missing


def _unmade(folders: Sequence[bytes]) -> None:
    for folder in reversed(folders):
        try:
            os.rmdir(folder)
        except OSError:
            return  # An earlier one needs it, and takes it away.


def _never_entered(
    repository: Repository, workspace: Workspace, present: Collection[bytes]
) -> set[tuple[int, int]]:
    """Other workspaces, and git's own: a copy of copies would grow with each job."""
    places: list[Path | bytes] = [*_of_workspaces(repository, workspace)]
    places += [repository.common_dir, repository.git_dir]
    places += [place(repository.top, path) for path in present]
    found = [os.stat(path) for path in places if os.path.exists(path)]
    return {(it.st_dev, it.st_ino) for it in found}


def _of_workspaces(repository: Repository, workspace: Workspace) -> set[Path]:
    used = (used.folder for used in used_folders(repository))
    folders = {workspace.path.parent, repository.top / FOLDER, *used}
    return {folder for folder in folders if folder.is_dir()}


# -- what to say


def _left_out(problems: Sequence[tuple[bytes, str]]) -> list[str]:
    notes = [
        f"{RULES} names {show_path(path)}, which the workspace does not have: {why}"
        for path, why in problems[:_NAMED]
    ]
    more = len(problems) - _NAMED
    return [*notes, f"{more} more files of {RULES} could not be copied"] if more > 0 else notes


def _leading_back(
    repository: Repository, workspace: Workspace, files: Sequence[tuple[bytes, Seen]]
) -> list[str]:
    """Links are copied as they are, and one that names the user's tree leads there."""
    top = os.fsencode(repository.top) + b"/"
    inside = os.fsencode(workspace.path) + b"/"
    links = (path for path, seen in files if stat.S_ISLNK(seen[6]))
    leading = []
    for path in links:
        aim = os.readlink(place(workspace.path, path))
        if aim.startswith(top) and not aim.startswith(inside):
            leading.append(path)
    if not leading:
        return []
    more = f" and {len(leading) - 1} more" if len(leading) > 1 else ""
    return [f"the copied link {show_path(leading[0])}{more} leads into your own tree"]


# -- the index


def write_included_index(workspace: Workspace, files: Iterable[tuple[bytes, Seen]]) -> None:
    """Write the index that knows the base's files and what the workspace was given."""
    repository = workspace.repository
    with scratch(repository) as folder:
        git = with_copy(repository.git, workspace.private_index, folder / "index")
        data = readable(git, folder / "index")
    mark = _mark(workspace)
    known = [(path, data[start:end]) for path, start, end in index_entries(data, len(mark))]
    known += [(path, _entry(path, seen, mark)) for path, seen in files]
    known.sort()
    _, version, _ = _HEADER.unpack_from(data)
    body = _HEADER.pack(b"DIRC", version, len(known)) + b"".join(entry for _, entry in known)
    digest = hashlib.new(repository.object_format, body, usedforsecurity=False).digest()
    workspace.included_index.write_bytes(body + digest)


def _mark(workspace: Workspace) -> bytes:
    """The object that a copy has in the index: none, for nothing of it is in the object store."""
    return b"\x11" * (len(workspace.repository.null_id) // 2)


def readable(git: Git, index: Path) -> bytes:
    """An index as one of version 2 or 3, whichever the user prefers.

    :param git: aimed at this index.
    """
    data = index.read_bytes()
    if _HEADER.unpack_from(data)[1] > 3:
        git.run("update-index", "--index-version", "2")
        data = index.read_bytes()
    if _HEADER.unpack_from(data)[1] > 3:
        raise GitError(("update-index",), 128, b"fatal: the index can't be converted")
    return data


def index_entries(data: bytes, id_size: int) -> Iterator[tuple[bytes, int, int]]:
    """Path, beginning and end of each entry of an index of version 2 or 3."""
    _, _, count = _HEADER.unpack_from(data)
    offset = _HEADER.size
    for _ in range(count):
        path_at, path_end = path_bounds(data, offset + STAT.size + id_size)
        end = next_entry(offset, path_end)
        yield data[path_at:path_end], offset, end
        offset = end


def _entry(path: bytes, seen: Seen, mark: bytes) -> bytes:
    entry = STAT.pack(*seen) + mark + FLAGS.pack(min(len(path), LENGTH)) + path
    return entry.ljust(next_entry(0, len(entry)), b"\0")
