"""What the user lists as caches (`node_modules`, `target`): it stays in a folder that is used again.

Only as long as git ignores all of it, and in the next workspace too; so nothing of it is ever taken for
an agent's work.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.workspace.places import facts, names_of, parents, place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from sideshoot.git import Git
    from sideshoot.workspace.place import Workspace

_SHOWN = ("ls-files", "-o", "-z", "--exclude-standard", "--directory", "--")


def as_paths(names: Iterable[str]) -> set[bytes]:
    """What is listed, as paths of a tree; what lies in another one of them is left out."""
    wanted = {os.fsencode(os.path.normpath(name)) for name in names}
    return {path for path in wanted if wanted.isdisjoint(parents(path))}


def caches_in(
    top: Path, names: Iterable[str], tracked: Collection[bytes], *, not_into: Sequence[Path]
) -> set[bytes]:
    """Which caches are in a folder, and may stay as far as can be told there.

    Each is a folder, reached through folders, with nothing tracked in it or in its way.

    :param not_into: where no link in a cache may lead to, unless that lies among workspaces.
    """
    wanted = as_paths(names)
    free = wanted - in_the_way(wanted, tracked)
    found = {path for path in free if _is_folder(top, path)}
    return {path for path in found if not _leads_into(top, path, not_into)}


def in_the_way(caches: Collection[bytes], paths: Iterable[bytes]) -> set[bytes]:
    """The caches at, below or above which one of these paths lies."""
    if not caches:
        return set()
    above = {name: path for path in caches for name in parents(path)}
    found = {name for path in paths for name in names_of(path) if name in caches}
    return found | {above[path] for path in paths if path in above}


def shown_to_git(git: Git, caches: Collection[bytes]) -> set[bytes]:
    """The caches that git does not ignore, or not all of what is in them.

    :param git: for the files of the new workspace, with an index of them.
    """
    if not caches:
        return set()
    literal = git.having(GIT_LITERAL_PATHSPECS="1")
    try:
        shown = literal.run(*_SHOWN, *map(os.fsdecode, caches)).lines
    except GitError:
        return {*caches}
    return {name for path in shown for name in names_of(path.rstrip(b"/"))} & {*caches}


def note_survivors(folder: Path, caches: Collection[bytes]) -> None:
    """Note in a folder of Sideshoot's own which caches a workspace has kept."""
    if caches:
        (folder / "caches").write_bytes(b"\0".join(sorted(caches)))


def survivors(folder: Path) -> list[bytes]:
    """The caches that are noted in a folder."""
    with contextlib.suppress(FileNotFoundError):
        return (folder / "caches").read_bytes().split(b"\0")
    return []


def without_survivors(workspace: Workspace, paths: list[bytes]) -> list[bytes]:
    """Of these paths, in which a folder has a slash at its end, what a workspace was not opened with."""
    kept = {*survivors(workspace.claim)}
    above = {folder for path in kept for folder in parents(path)}
    found, waiting = set(), paths if kept else []
    while waiting:
        path = waiting.pop()
        name = path.rstrip(b"/")
        if name in above:
            waiting += _inside(workspace, path)
        elif kept.isdisjoint(names_of(name)):
            found.add(path)
    return sorted(found) if kept else paths


def _inside(workspace: Workspace, folder: bytes) -> list[bytes]:
    with os.scandir(place(workspace.path, folder)) as entries:
        return [
            folder + one.name + (b"/" if one.is_dir(follow_symlinks=False) else b"")
            for one in entries
        ]


def _is_folder(top: Path, path: bytes) -> bool:
    found = facts(top, path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def _leads_into(top: Path, cache: bytes, places: Sequence[Path]) -> bool:
    """Whether a link in the cache leads to one of these places, and not to a workspace there."""
    among = os.path.realpath(os.fsencode(top.parent)) + b"/"
    closed = tuple(os.path.realpath(os.fsencode(one)) for one in places)
    for folder, folders, files in os.walk(place(top, cache)):
        for name in (*folders, *files):
            entry = folder + b"/" + name
            if not os.path.islink(entry):
                continue
            aim = os.path.realpath(entry) + b"/"
            if not aim.startswith(among) and any(aim.startswith(one + b"/") for one in closed):
                return True
    return False
