"""Write new contents beside the tree, through git's own filters, before any of it is touched."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, KeepRefused
from sideshoot.git.blobs import reading_blobs
from sideshoot.git.trees import EXECUTABLE, SYMLINK, Entry, index_info
from sideshoot.workspace.places import facts, place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.git import Git, Repository

ATTRIBUTES = b".gitattributes"
_PARALLEL = {"checkout.workers": "2", "checkout.thresholdForParallelism": "200"}


def stage_files(
    repository: Repository,
    entries: Mapping[bytes, Entry],
    *,
    folder: Path,
    tree: str | None = None,
    exact: Mapping[bytes, Entry] = MappingProxyType({}),
) -> dict[bytes, bytes]:
    """Write files as they will be in the user's tree.

    :param folder: where; it must be in the same file system as the tree.
    :param tree: the tree whose `.gitattributes` are in force, where they are not those that lie in
        the user's working tree now.
    :param exact: what to write without filters, byte for byte, at some of the paths.
    :return: the place of each.
    :raises KeepRefused: they can't be written (a full disk, a filter that fails).
    """
    folder.mkdir()
    filtered = {path: entry for path, entry in entries.items() if path not in exact}
    try:
        _check_out(repository, filtered, folder / "filtered", tree)
        places = {path: place(folder / "filtered", path) for path in filtered}
        return places | write_raw(repository.git, exact, folder / "raw")
    except (GitError, OSError) as error:
        reason = error.reason if isinstance(error, GitError) else error.strerror
        raise KeepRefused(
            f"the new contents can't be written: {reason}; nothing was changed"
        ) from None


def write_raw(git: Git, entries: Mapping[bytes, Entry], folder: Path) -> dict[bytes, bytes]:
    """Write blobs byte for byte into numbered files, and return the place of each."""
    folder.mkdir()
    places: dict[bytes, bytes] = {}
    if not entries:
        return places
    with reading_blobs(git) as blobs:
        for number, (path, entry) in enumerate(sorted(entries.items())):
            target = folder / str(number)
            with target.open("wb") as file:
                blobs.copy(entry.oid, file)
            if entry.mode == SYMLINK:
                leads_to = target.read_bytes()
                target.unlink()
                os.symlink(leads_to, os.fsencode(target))
            else:
                target.chmod(_new_mode(entry))
            places[path] = os.fsencode(target)
    return places


def match_permissions(top: Path, path: bytes, staged: bytes) -> None:
    """Give a new file what the one it replaces allows, apart from the executable bit."""
    old, new = facts(top, path), os.lstat(staged)
    if old is None or not (stat.S_ISREG(old.st_mode) and stat.S_ISREG(new.st_mode)):
        return
    allowed = stat.S_IMODE(old.st_mode) & ~0o111
    if new.st_mode & stat.S_IXUSR:
        allowed |= (allowed & 0o444) >> 2
    if bool(old.st_mode & stat.S_IXUSR) == bool(new.st_mode & stat.S_IXUSR):
        allowed = stat.S_IMODE(old.st_mode)
    os.chmod(staged, allowed)


def _check_out(
    repository: Repository, entries: Mapping[bytes, Entry], folder: Path, tree: str | None
) -> None:
    folder.mkdir()
    if not entries:
        return
    index = folder.with_name("filtered-index")
    git = repository.git.with_index(index).configured(_PARALLEL)
    if tree is not None:
        git = _with_attributes_of(git, tree, folder)
    changes = entries.items()
    git.run(
        "update-index", "-z", "--add", "--index-info", stdin=index_info(changes, repository.null_id)
    )
    names = b"\0".join(entries) + b"\0"
    git.run("checkout-index", "-f", "-z", "--stdin", f"--prefix={_slash(folder)}", stdin=names)


def _with_attributes_of(git: Git, tree: str, folder: Path) -> Git:
    """A git for which the `.gitattributes` of `tree` are in force.

    They are looked for in the working tree first and in the index where there is none, so the
    working tree is an empty folder, and the index holds the whole tree.
    """
    empty = folder.with_name("empty")
    empty.mkdir()
    git.run("read-tree", tree)
    return replace(git.having(GIT_WORK_TREE=str(empty)), folder=empty)


def _slash(folder: Path) -> str:
    return f"{folder}/"


def _new_mode(entry: Entry) -> int:
    mask = os.umask(0)
    os.umask(mask)
    return (0o777 if entry.mode == EXECUTABLE else 0o666) & ~mask
