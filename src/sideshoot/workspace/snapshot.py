"""The tree of a working tree as it lies there, without touching its index.

Two questions to git, side by side, find what differs from the index: `diff-files` for the paths it
knows, `ls-files -o` for those it does not. Only these are read. It costs what `git status` costs,
and unlike `add -A` it never looks into a repository that lies inside, goes on where one file can't
be added, and names it.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git.command import Output, rest_of
from sideshoot.git.trees import EXECUTABLE, GITLINK, REGULAR, Entry, index_info, parse_raw
from sideshoot.text import show_path
from sideshoot.workspace.places import facts, parents, place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from sideshoot.git import Git, Repository

_UNREAD = re.compile(rb"could not open directory|(Permission denied|Input/output error)$")
_OTHERS = ("ls-files", "-o", "-z", "--exclude-standard")
_FOLDERS = (*_OTHERS, "--directory")
_HIDDEN = re.compile(rb"(?:^|\0)([a-zS]) ([^\0]+)")


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


@dataclass(frozen=True, slots=True)
class _Found:
    present: list[bytes]
    gone: list[bytes]
    repositories: tuple[bytes, ...]


def snapshot(
    repository: Repository,
    git: Git,
    *,
    untracked: bool = True,
    also: Iterable[bytes] = (),
    empty_folders: bool = False,
    unchanged: str | None = None,
    known: Path | None = None,
) -> Snapshot:
    """Write the working tree into the object store.

    :param git: runs in `repository` with a scratch copy of an index, which this brings up to date.
    :param untracked: take in what the index does not know and nothing ignores.
    :param also: further paths to take in if they exist, though they are ignored.
    :param empty_folders: look for folders with nothing in them, too.
    :param unchanged: the index's tree, where it is known: the answer if no file differs from it.
    :param known: an index of what is not to be taken in though the scratch index lacks it.
    :raises CaptureFailed: a path can't be read; its name is in the message.
    """
    knowing = git.with_index(known) if known else git
    folders_process = knowing.start(*_FOLDERS) if empty_folders else None
    found = _look(git, knowing, untracked=untracked)
    folders = rest_of(_FOLDERS, folders_process).lines if folders_process else []
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
        empty=_empty_folders(git, folders, found.repositories),
    )


def unhide(repository: Repository, git: Git) -> None:
    """Make a scratch index look at files that the user told git not to look at.

    Entries marked skip-worktree or assume-unchanged whose files exist are what the user works with;
    those without a file (outside a sparse checkout) stay as the index has them.
    """
    hidden = _hidden_files(repository, git)
    if hidden:
        names = b"\0".join(hidden) + b"\0"
        git.run("update-index", "-z", "--no-assume-unchanged", "--stdin", stdin=names)
        git.run("update-index", "-z", "--no-skip-worktree", "--stdin", stdin=names)


def hides_files(repository: Repository) -> bool:
    """Whether git overlooks changes of some files, since the user told it to."""
    return bool(_hidden_files(repository, repository.git))


def _hidden_files(repository: Repository, git: Git) -> list[bytes]:
    return [
        path
        for _, path in _HIDDEN.findall(git.run("ls-files", "-v", "-z").stdout)
        if os.path.lexists(place(repository.top, path))
    ]


def _look(git: Git, knowing: Git, *, untracked: bool) -> _Found:
    changed_argv = ("diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=all")
    changed_process = git.start(*changed_argv)
    others = knowing.run(*_OTHERS) if untracked else Output(b"", b"", 0)
    changed = rest_of(changed_argv, changed_process)
    for output in (changed, others):
        _refuse_unread(output)
    deltas = [delta for delta in parse_raw(changed.stdout) if _is_blob(delta.old)]
    # An unmerged path is whatever lies there now; `_files` tells.
    present = [delta.path for delta in deltas if delta.status != "D"]
    gone = {delta.path for delta in deltas if delta.status in "DU"}
    repositories = tuple(path.rstrip(b"/") for path in others.lines if path.endswith(b"/"))
    present += [path for path in others.lines if not path.endswith(b"/")]
    return _Found(present, sorted(gone), repositories)


def _empty_folders(
    git: Git, untracked: Iterable[bytes], repositories: Collection[bytes]
) -> tuple[bytes, ...]:
    """The empty folders in and below those that hold nothing that the index knows."""
    top = os.fsencode(git.folder)
    found = []
    for path in untracked:
        if not path.endswith(b"/") or path.rstrip(b"/") in repositories:
            continue
        for folder, folders, files in os.walk(place(git.folder, path.rstrip(b"/"))):
            below = folder[len(top) + 1 :]
            folders[:] = [name for name in folders if below + b"/" + name not in repositories]
            if not folders and not files and not os.listdir(folder):
                found.append(below)
    return tuple(sorted(set(found) - _ignored(git, found)))


def _ignored(git: Git, paths: Sequence[bytes]) -> set[bytes]:
    if not paths:
        return set()
    names = b"".join(path + b"/\0" for path in paths)
    answer = git.run("check-ignore", "-z", "--no-index", "--stdin", stdin=names, accept=(0, 1))
    return {path.rstrip(b"/") for path in answer.lines}


def _refuse_unread(output: Output) -> None:
    """Folders that git can't enter are to it as if they were empty; it only grumbles."""
    for line in output.stderr.splitlines():
        if _UNREAD.search(line) and not line.startswith(b"warning: unable to access"):
            raise CaptureFailed(
                f"can't look at everything: {line.decode(errors='replace')}; "
                "mend it and run this again, nothing was deleted"
            )


def _is_blob(entry: Entry | None) -> bool:
    return entry is None or entry.mode != GITLINK


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
