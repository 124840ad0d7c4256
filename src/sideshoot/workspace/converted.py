"""Files that are something else in the working tree than in the object store.

git's filters (line ends, encodings, LFS) turn what lies in the tree into what is stored, and back, and
not every file comes back as it was: mixed line ends do not, nor a file without carriage returns where
the user's configuration asks for them. What an agent left is to arrive as it was.
"""

from __future__ import annotations

import filecmp
import os
from typing import TYPE_CHECKING

from sideshoot.errors import KeepRefused
from sideshoot.git.trees import EXECUTABLE, REGULAR, Entry, differences
from sideshoot.workspace.places import holds_blob, place
from sideshoot.workspace.refs import exact_ref
from sideshoot.workspace.staging import stage_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.workspace.place import Workspace

_LARGEST = 64 << 20
"""Larger files are not written a second time only to see whether they come back as they were."""


def find_converted(workspace: Workspace, tree: str, folder: Path) -> dict[bytes, str]:
    """The changed files whose bytes git stores as others, and the blobs that hold them exactly.

    :param tree: what was captured of the workspace.
    :param folder: takes scratch files.
    :return: for each path a blob, or nothing where the filters lead back to the very bytes.
    """
    repository = workspace.repository
    changed = {
        delta.path: delta.new
        for delta in differences(repository.git, workspace.base, tree)
        if delta.new is not None and delta.new.mode in (REGULAR, EXECUTABLE)
    }
    found = {
        path: entry
        for path, entry in changed.items()
        if not holds_blob(workspace.path, path, entry.oid, object_format=repository.object_format)
    }
    exact = _held_exactly(workspace, found, folder)
    _pin(workspace, exact)
    return dict.fromkeys(found, "") | exact


def _pin(workspace: Workspace, exact: Mapping[bytes, str]) -> None:
    """Let a ref hold the blobs, which no tree does, so that git never throws them away."""
    if not exact:
        return
    git = workspace.repository.git
    blobs = enumerate(sorted(set(exact.values())))
    lines = "".join(f"{REGULAR} blob {oid}\t{number}\0" for number, oid in blobs)
    tree = git.text("mktree", "-z", stdin=lines.encode())
    git.run("update-ref", exact_ref(workspace.job_id), tree)


def _held_exactly(
    workspace: Workspace, entries: Mapping[bytes, Entry], folder: Path
) -> dict[bytes, str]:
    if not entries:
        return {}
    small = {p: e for p, e in entries.items() if _size(workspace, p) <= _LARGEST}
    try:
        back = stage_files(workspace.repository, small, folder=folder / "back")
    except KeepRefused:  # a filter that leads one way only
        back = {}
    exact = {}
    for path in small:
        where = place(workspace.path, path)
        if path not in back or not filecmp.cmp(where, back[path], shallow=False):
            with open(where, "rb") as file:
                exact[path] = workspace.repository.git.hash_file(file)
    return exact


def _size(workspace: Workspace, path: bytes) -> int:
    try:
        return os.lstat(place(workspace.path, path)).st_size
    except OSError:
        return _LARGEST + 1
