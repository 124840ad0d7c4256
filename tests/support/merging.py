"""A three-way merge of trees in plain Python, path by path: what `keep` must agree with.

It knows nothing of the package. Only texts that both sides changed are left to `git merge-file`.
Trees here map a path to git's mode and the contents, as `Repo.tree` with git's modes does.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.repos import SYMLINK

if TYPE_CHECKING:
    from support.repos import Tree

    Node = tuple[int, bytes] | None


class Conflict(Exception):
    """Both sides changed the same place."""


def merge(base: Tree, ours: Tree, theirs: Tree) -> Tree:
    """The merged tree.

    :raises Conflict: there is none.
    """
    merged: Tree = {}
    for path in base.keys() | ours.keys() | theirs.keys():
        node = merge_node(base.get(path), ours.get(path), theirs.get(path))
        if node is not None:
            merged[path] = node
    for path in merged:
        if any(above in merged for above in above_of(path)):
            raise Conflict(path)
    return merged


def merge_node(base: Node, ours: Node, theirs: Node) -> Node:
    """The merge of what is at one path."""
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    if ours is None or theirs is None or SYMLINK in (ours[0], theirs[0]):
        raise Conflict
    before = base if base is not None and base[0] != SYMLINK else (0, b"")
    return _merged_mode(before[0], ours[0], theirs[0]), _merged_text(before[1], ours[1], theirs[1])


def merged_index(index: Tree, before: Tree, after: Tree) -> Tree:
    """The index once the change from `before` to `after` was staged beside what the user staged."""
    new = dict(index)
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    for path in changed:
        try:
            node = merge_node(before.get(path), index.get(path), after.get(path))
        except Conflict:
            continue
        new.pop(path, None)
        if node is not None:
            new = {other: found for other, found in new.items() if not _excludes(path, other)}
            new[path] = node
    return new


def renames_matter(base: Tree, ours: Tree, theirs: Tree) -> bool:
    """Whether a merge that follows renames, as git's does, may know better than one of each path.

    It may if what one side moved was changed, moved or deleted by the other side, too.
    """
    return _moved_and_changed(base, ours, theirs) or _moved_and_changed(base, theirs, ours)


def _moved_and_changed(base: Tree, mover: Tree, other: Tree) -> bool:
    new = [path for path in mover if path not in base or mover[path][0] != base[path][0]]
    for path, node in base.items():
        gone = path not in mover or mover[path][0] != node[0]
        targets = [target for target in new if gone and _alike(node, mover[target])]
        if targets and other.get(path) != node:
            return True
        if any(target in other for target in targets):
            return True
    return False


def _alike(one: tuple[int, bytes], two: tuple[int, bytes]) -> bool:
    return one[1] == two[1] or bool(set(one[1].splitlines()) & set(two[1].splitlines()))


def above_of(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:length]) for length in range(1, len(parts))]


def _excludes(path: bytes, other: bytes) -> bool:
    """Whether one is a folder of the other, so that an index can't have both."""
    return path in above_of(other) or other in above_of(path)


def _merged_mode(base: int, ours: int, theirs: int) -> int:
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    raise Conflict


def _merged_text(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    if any(b"\0" in side for side in (base, ours, theirs)):
        raise Conflict
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("ours", "base", "theirs")]
        for place, content in zip(places, (ours, base, theirs), strict=True):
            place.write_bytes(content)
        argv = ["git", "merge-file", "-p", *map(str, places)]
        done = subprocess.run(argv, capture_output=True, cwd=folder, timeout=60)
    if done.returncode:
        raise Conflict
    return done.stdout
