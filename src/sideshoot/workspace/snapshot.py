"""The tree of a working tree as it lies there, without touching its index.

git finds what differs from the index (`looking`), and only that is read. It costs what `git status`
costs, and unlike `add -A` it never looks into a repository that lies inside, goes on where one file
can't be added, and names it.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git.trees import EXECUTABLE, REGULAR, Entry, index_info
from sideshoot.text import show_path
from sideshoot.workspace.places import facts, parents, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sideshoot.git import Git, Repository
    from sideshoot.workspace.looking import Found

_HIDDEN = re.compile(rb"\0[a-zS] ([^\0]+)")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A working tree in the object store."""

    tree: str
    raw: frozenset[bytes] = frozenset()
    """Files that git's own filters refuse; the tree holds their bytes as they are."""
    repositories: tuple[bytes, ...] = ()
    """Untracked repositories that lie inside; they are not in the tree."""
    special: tuple[bytes, ...] = ()
    """What stood in a tracked file's place and is neither file nor link; not in the tree."""
    empty: tuple[bytes, ...] = ()
    """Folders without anything in them, which a tree can't hold."""


def snapshot(
    repository: Repository,
    git: Git,
    found: Found,
    *,
    also: Iterable[bytes] = (),
    unchanged: str | None = None,
) -> Snapshot:
    """Write the working tree into the object store.

    :param git: runs in `repository` with a scratch copy of an index, which this brings up to date.
    :param found: how the working tree differs from that index.
    :param also: further paths to take in if they exist, though they are ignored.
    :param unchanged: the index's tree, where it is known: the answer if no file differs from it.
    :raises CaptureFailed: a path can't be read; its name is in the message.
    """
    present, special = _files(repository.top, {*found.present, *_within(repository.top, also)})
    gone = [*found.gone, *special]
    if gone:
        changes = [(path, None) for path in gone]
        git.run("update-index", "-z", "--index-info", stdin=index_info(changes, repository.null_id))
    raw = add_files(repository, git, present)
    tree = unchanged if not (gone or present) else None
    tree = tree or git.text("write-tree", "--missing-ok")
    return Snapshot(
        tree,
        raw=frozenset(raw),
        repositories=found.repositories,
        special=tuple(special),
        empty=_empty_folders(git, found),
    )


def unhide(git: Git, hidden: Sequence[bytes]) -> None:
    """Make a scratch index look at these files, though the user told git not to look at them."""
    names = b"\0".join(hidden) + b"\0"
    git.run("update-index", "-z", "--no-assume-unchanged", "--stdin", stdin=names)
    git.run("update-index", "-z", "--no-skip-worktree", "--stdin", stdin=names)


def hidden_files(repository: Repository, git: Git) -> list[bytes]:
    """The files of which git overlooks changes, since the user told it to.

    Those that are marked skip-worktree or assume-unchanged and exist are what the user works with;
    those without a file (outside a sparse checkout) stay as the index has them.

    :param git: aimed at an index of the repository.
    """
    return [
        path
        for path in _HIDDEN.findall(b"\0" + git.run("ls-files", "-v", "-z").stdout)
        if os.path.lexists(place(repository.top, path))
    ]


def _empty_folders(git: Git, found: Found) -> tuple[bytes, ...]:
    """The empty folders in and below those that hold nothing that the index knows."""
    top = os.fsencode(git.folder)
    empty = []
    for path in found.folders:
        for folder, folders, files in os.walk(place(git.folder, path)):
            below = folder[len(top) + 1 :]
            folders[:] = [name for name in folders if below + b"/" + name not in found.repositories]
            if not folders and not files and not os.listdir(folder):
                empty.append(below)
    return tuple(sorted(set(empty) - _ignored(git, empty)))


def _ignored(git: Git, paths: Sequence[bytes]) -> set[bytes]:
    if not paths:
        return set()
    names = b"".join(path + b"/\0" for path in paths)
    answer = git.run("check-ignore", "-z", "--no-index", "--stdin", stdin=names, accept=(0, 1))
    return {path.rstrip(b"/") for path in answer.lines}


def _within(top: Path, paths: Iterable[bytes]) -> list[bytes]:
    """Leave out what lies behind a link: that is no file of this tree, and could be anything."""
    return [path for path in paths if all(_is_folder(top, above) for above in parents(path))]


def _is_folder(top: Path, path: bytes) -> bool:
    seen = facts(top, path)
    return seen is not None and stat.S_ISDIR(seen.st_mode)


def _files(top: Path, paths: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Part what git can hold from what it can't (pipes, sockets, devices)."""
    files: list[bytes] = []
    special: list[bytes] = []
    for path in paths:
        try:
            seen = facts(top, path)
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from None
        if seen is None or stat.S_ISDIR(seen.st_mode):
            continue
        mode = seen.st_mode
        (files if stat.S_ISREG(mode) or stat.S_ISLNK(mode) else special).append(path)
    return sorted(files), sorted(special)


def add_files(repository: Repository, git: Git, paths: Sequence[bytes]) -> list[bytes]:
    """Add files and links to the scratch index that `git` is aimed at.

    :return: those that git's filters refuse; they went in as their raw bytes.
    :raises CaptureFailed: one can't be read.
    """
    if not paths:
        return []
    try:
        git.run(
            "update-index", "-z", "--add", "--replace", "--stdin", stdin=b"\0".join(paths) + b"\0"
        )
    except GitError as error:
        if len(paths) > 1:
            middle = len(paths) // 2
            return [
                *add_files(repository, git, paths[:middle]),
                *add_files(repository, git, paths[middle:]),
            ]
        _add_raw(repository, git, paths[0], error)
        return list(paths)
    return []


def _add_raw(repository: Repository, git: Git, path: bytes, refusal: GitError) -> None:
    """Store a file's bytes as they are, since git's filters refuse it."""
    where = place(repository.top, path)
    try:
        mode = os.lstat(where).st_mode
        if stat.S_ISLNK(mode):
            raise _unreadable(path, refusal.reason)
        with open(where, "rb") as file:
            oid = git.hash_file(file)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    except GitError as error:
        raise _unreadable(path, error.reason) from None
    entry = Entry(EXECUTABLE if mode & stat.S_IXUSR else REGULAR, oid)
    git.run(
        "update-index",
        "--add",
        "-z",
        "--index-info",
        stdin=index_info([(path, entry)], repository.null_id),
    )


def _unreadable(path: bytes, reason: str) -> CaptureFailed:
    return CaptureFailed(
        f"can't save {show_path(path)}: {reason}; mend it and run this again, nothing was deleted"
    )
