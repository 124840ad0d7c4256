"""What an agent left that git ignores: build outputs, caches, files with secrets.

It is no part of a result, since nothing should be committed that is to be ignored; but it is named,
and what the user asks for is brought as it lies there.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import KeepRefused, UsageError
from sideshoot.text import show_path
from sideshoot.workspace.caches import without_survivors
from sideshoot.workspace.included import changed_included, included_paths
from sideshoot.workspace.places import facts, parents, place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from sideshoot.workspace.place import Workspace

_LOOK = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
_NO_EMPTY = "--no-empty-directory"
_RULES_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Ignored:
    """What git ignores in a workspace and was not there, or not like this, when it was opened."""

    count: int = 0
    paths: tuple[bytes, ...] = ()
    """The first of them; a folder of which all is ignored is one path with a slash at its end."""


def list_ignored(
    workspace: Workspace, limit: int = 1000, *, saved: Collection[bytes] = ()
) -> Ignored:
    """Name what git ignores in the workspace.

    :param limit: so many are named; all are counted.
    :param saved: ignored files that the result has all the same.
    """
    # This index knows what was there at the beginning; the agent's own may be anything.
    git = workspace.repository.git.with_index(workspace.known_index)
    # No index knows empty folders, so that those of the user's can't be told from the agent's.
    look = _LOOK if workspace.known_index == workspace.private_index else (*_LOOK, _NO_EMPTY)
    ignored = without_survivors(workspace, git.fields(*look))
    listed = [path for path in ignored if path not in saved]
    found = [*_collapsed(workspace, listed), *changed_included(workspace)]
    return Ignored(len(found), tuple(sorted(found)[:limit]))


def bring_ignored(workspace: Workspace, paths: Sequence[bytes], folder: Path) -> dict[bytes, bytes]:
    """Copy ignored files and folders, bytes and modes, into `folder`.

    :param paths: relative to the workspace's top; links are copied, not followed.
    :param folder: an empty one, on the file system of the user's tree.
    :return: for each path the place of its copy.
    :raises UsageError: a path is not there, or git does not ignore it.
    :raises KeepRefused: there is no room for it, or something in it can't be copied.
    """
    wanted = list(dict.fromkeys(path.rstrip(b"/") for path in paths))
    for path in wanted:
        _refuse_others(workspace, path)
    size = sum(_size(place(workspace.path, path)) for path in wanted)
    if size > shutil.disk_usage(folder).free:
        raise KeepRefused(f"no room for {size:,} bytes of ignored files; nothing was written")
    copies = {}
    for number, path in enumerate(wanted):
        copies[path] = place(folder, b"%d" % number)
        _copy(os.fsdecode(place(workspace.path, path)), os.fsdecode(copies[path]))
    return copies


def _collapsed(workspace: Workspace, paths: Sequence[bytes]) -> list[bytes]:
    """Name a folder once where a file in it says that all of it is ignored.

    Caches and virtual environments do so, and git lists each of their thousands of files.
    """
    rules = [path for path in paths if path.endswith(b"/.gitignore")]
    folders: tuple[bytes, ...] = ()
    for path in sorted(rules, key=len):
        if not path.startswith(folders) and _all(workspace, path):
            folders += (path.removesuffix(b".gitignore"),)
    return [*folders, *(path for path in paths if not path.startswith(folders))]


def _all(workspace: Workspace, rules: bytes) -> bool:
    found = facts(workspace.path, rules)
    if found is None or not stat.S_ISREG(found.st_mode):
        return False
    with open(place(workspace.path, rules), "rb") as file:
        lines = file.read(_RULES_BYTES).split(b"\n")
    return b"*" in lines and not any(line.startswith(b"!") for line in lines)


def _refuse_others(workspace: Workspace, path: bytes) -> None:
    shown = show_path(path) or "."
    words = path.split(b"/")
    if not path or path.startswith(b"/") or {b"..", b".", b"", b".git"} & {*words}:
        raise UsageError(f"{shown} is no path of an ignored file or folder")
    above = [facts(workspace.path, parent) for parent in parents(path)]
    if not all(found and stat.S_ISDIR(found.st_mode) for found in above):
        raise UsageError(f"the workspace has no {shown}")
    if facts(workspace.path, path) is None:
        raise UsageError(f"the workspace has no {shown}")
    git = workspace.repository.git.with_index(workspace.private_index)
    literal = git.having(GIT_LITERAL_PATHSPECS="1")
    if path in included_paths(workspace):
        return  # Whatever the agent has made of the rules.
    if not literal.run(*_LOOK, "--", os.fsdecode(path)).stdout:
        raise UsageError(f"{shown} is not ignored; `sideshoot keep` brings it if it changed")


def _copy(source: str, target: str) -> None:
    try:
        if os.path.isdir(source) and not os.path.islink(source):
            shutil.copytree(source, target, symlinks=True, copy_function=_copy_file)
        else:
            _copy_file(source, target)
    except shutil.Error as error:
        where, _, why = error.args[0][0]
        raise _not_copied(where, str(why)) from None
    except OSError as error:
        raise _not_copied(error.filename or source, error.strerror or str(error)) from None


def _copy_file(source: str, target: str) -> None:
    mode = os.lstat(source).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OSError(0, "it is neither file, folder nor link", source)
    shutil.copy2(source, target, follow_symlinks=False)


def _not_copied(where: bytes | str, why: str) -> KeepRefused:
    return KeepRefused(f"can't copy {show_path(where)}: {why}; nothing was written")


def _size(top: bytes) -> int:
    return sum(found.st_size for found in _below(top))


def _below(top: bytes) -> Iterator[os.stat_result]:
    yield os.lstat(top)
    for folder, _, names in os.walk(top):
        for name in names:
            yield os.lstat(folder + b"/" + name)
