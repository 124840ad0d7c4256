"""Let a workspace read folders of the user's that are too large to copy: by links to what is in them.

A folder is a folder of its own in the workspace, and each thing in it a link. So a rule of git's that
is about folders (`data/`) holds for it, and what is made directly in it stays in the workspace. By
the links themselves the user's files can be written to, unless a fence holds the agent back.

The links are known to git by the index of what a workspace was given (`included`), so that a
capture has nothing to do with them; and whoever removes a workspace removes links, not what they
lead to.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from sideshoot.text import show_path
from sideshoot.workspace.copying import stamp
from sideshoot.workspace.included import Given, ignored_in, is_free
from sideshoot.workspace.places import parents, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.copying import Seen
    from sideshoot.workspace.place import Workspace

_MODE = 0o120000


def link(repository: Repository, workspace: Workspace, paths: Sequence[str]) -> Given:
    """Make links in the new workspace to files and to what is in folders of the user's tree.

    :param paths: relative to the top of both. What git does not ignore in the workspace is not
        linked, for it would be the agent's work.
    """
    given = Given()
    for path in dict.fromkeys(os.fsencode(path).rstrip(b"/") for path in paths):
        why = _why_not(repository, workspace, path)
        if why is None:
            given.linked.append(path)
            given.files += _linked(repository, workspace, path)
        else:
            given.notes.append(f"workspace.link: {show_path(path)} is not linked: {why}")
    return given


def _why_not(repository: Repository, workspace: Workspace, path: bytes) -> str | None:
    users = place(repository.top, path)
    if not os.path.exists(users):
        return "you have nothing there"
    top = os.path.realpath(os.fsencode(repository.top))
    above = os.path.realpath(os.path.dirname(users))
    if above != top and not above.startswith(top + b"/"):
        return "the way to it leads out of your tree"
    if not is_free(workspace, path) or os.path.lexists(place(workspace.path, path)):
        return "the workspace has something there"
    if not ignored_in(workspace, [path], as_folders=os.path.isdir(users)):
        return "git does not ignore it"
    return None


def _linked(
    repository: Repository, workspace: Workspace, path: bytes
) -> Iterator[tuple[bytes, Seen]]:
    users = place(repository.top, path)
    for folder in parents(path):
        os.makedirs(place(workspace.path, folder), exist_ok=True)
    if not os.path.isdir(users):
        yield _link(workspace, path, users)
        return
    os.mkdir(place(workspace.path, path))
    for name in sorted(os.listdir(users)):
        yield _link(workspace, path + b"/" + name, users + b"/" + name)


def _link(workspace: Workspace, path: bytes, aim: bytes) -> tuple[bytes, Seen]:
    ours = place(workspace.path, path)
    os.symlink(aim, ours)
    found = os.lstat(ours)
    assert stat.S_ISLNK(found.st_mode)
    return path, stamp(found, _MODE)
