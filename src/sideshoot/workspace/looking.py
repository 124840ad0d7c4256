"""What git says of a working tree when it is asked several things at once.

`diff-files` tells of the paths that an index knows, `ls-files -o` of those that it does not, and each
looks at every file or folder of the tree. They do so side by side, in processes of their own, while
this one goes on.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import CaptureFailed
from sideshoot.git.command import Output, let_go, rest_of
from sideshoot.git.trees import GITLINK, Entry, parse_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sideshoot.git import Git

_UNREAD = re.compile(rb"could not open directory|(Permission denied|Input/output error)$")
_CHANGED = ("diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=all")
# Without -k git is silent about folders and repositories in the place of a file that it knows.
_OTHERS = ("ls-files", "-o", "-k", "-z", "--exclude-standard")
_FOLDERS = (*_OTHERS, "--directory")

_MOST_NAMED = 200
"""As many folders go on a command line; with more of them git looks through the whole tree."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a working tree differs from an index."""

    present: tuple[bytes, ...]
    """Files that are new or changed, or were just now."""
    gone: tuple[bytes, ...]
    """Paths of the index that have no file; of an unmerged one it can't be told."""
    repositories: tuple[bytes, ...] = ()
    """Untracked repositories that lie inside."""
    folders: tuple[bytes, ...] = ()
    """Folders with nothing in them that the index knows, if they were asked for."""


class Looking:
    """git at work on the questions; `found` waits for its answers."""

    def __init__(self, git: Git, *, untracked: bool, folders: bool, known: Git) -> None:
        self._known = known
        self._folders = folders
        self._others_argv = _FOLDERS if folders else _OTHERS
        self._changed = git.start(*_CHANGED)
        self._others = known.start(*self._others_argv) if untracked else None

    def found(self) -> Found:
        """All that differs.

        :raises CaptureFailed: a folder or a file can't be read.
        """
        others = rest_of(self._others_argv, self._others) if self._others else None
        changed = rest_of(_CHANGED, self._changed)
        _refuse_unread(changed)
        present, gone = _changed_paths(changed)
        new, repositories, folders = self._told(others) if others else ([], [], [])
        return Found(_unique([*present, *new]), gone, _unique(repositories), _unique(folders))

    def close(self) -> None:
        """Let go of git, wherever it is."""
        for process in (self._changed, self._others):
            if process is not None:
                let_go(process)

    def _told(self, others: Output) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """New files, repositories, and folders."""
        _refuse_unread(others)
        new, ended = _parted(others)
        if not self._folders:
            return new, ended, []
        inside = _looked_into(self._known, ended)
        more, repositories = _parted(inside) if inside else ([], [])
        return [*new, *more], repositories, [path for path in ended if path not in repositories]


@contextlib.contextmanager
def looking(
    git: Git, *, untracked: bool = True, folders: bool = False, known: Git | None = None
) -> Iterator[Looking]:
    """Have git begin to look at a working tree.

    :param git: runs in it, with an index to compare with, which must not be written to meanwhile
        but by renaming another into its place.
    :param untracked: look for what the index does not know and nothing ignores.
    :param folders: look for folders, too.
    :param known: git with an index of what is not new though the other lacks it.
    """
    look = Looking(git, untracked=untracked, folders=folders, known=known or git)
    try:
        yield look
    finally:
        look.close()


def _looked_into(git: Git, folders: Sequence[bytes]) -> Output | None:
    """What lies in untracked folders. Mostly there are none, and one look at the tree was enough."""
    if not folders:
        return None
    named = [os.fsdecode(path) for path in folders] if len(folders) <= _MOST_NAMED else []
    inside = git.having(GIT_LITERAL_PATHSPECS="1").run(*_OTHERS, "--", *named)
    _refuse_unread(inside)
    return inside


def _parted(output: Output) -> tuple[list[bytes], list[bytes]]:
    """Files, and what ends with a slash: repositories, or folders if git was asked for those."""
    files = [path for path in output.lines if not path.endswith(b"/")]
    return files, [path.rstrip(b"/") for path in output.lines if path.endswith(b"/")]


def _unique(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Each path once: git names some for two reasons."""
    return tuple(dict.fromkeys(paths))


def _changed_paths(changed: Output) -> tuple[list[bytes], tuple[bytes, ...]]:
    deltas = [delta for delta in parse_raw(changed.stdout) if not _is_repository(delta.old)]
    gone = [d.path for d in deltas if d.status in "DU" or _is_repository(d.new)]
    # An unmerged path is whatever lies there now; who reads the files will see.
    present = [d.path for d in deltas if d.status != "D" and not _is_repository(d.new)]
    return present, _unique(gone)


def _is_repository(entry: Entry | None) -> bool:
    return entry is not None and entry.mode == GITLINK


def _refuse_unread(output: Output) -> None:
    """Folders that git can't enter are to it as if they were empty; it only grumbles."""
    for line in output.stderr.splitlines():
        if _UNREAD.search(line) and not line.startswith(b"warning: unable to access"):
            raise CaptureFailed(
                f"can't look at everything: {line.decode(errors='replace')}; "
                "mend it and run this again, nothing was deleted"
            )
