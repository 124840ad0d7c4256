"""Say at conflicts in words whose lines are whose, where git names the commits that it merged.

`git merge-tree` takes no labels: it repeats the ids by which it was given the two commits, in the
lines that mark a conflict and in the names that it makes up where a file meets a folder.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.git.trees import Entry, changed_tree, entries_at
from sideshoot.workspace.merge import Merged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.git import Repository

YOURS = "yours"
BEFORE = "before"

# Before the id the mark (as long as the attribute conflict-marker-size says), after it sometimes a path.
_MARK = re.compile(rb"^([<>|]{3,} )([0-9a-f]{4,64})(?=[:\r\n]|$)", re.MULTILINE)
_INVENTED = re.compile(rb"~([0-9a-f]{40,64})(?=[_/]|$)")


def in_words(
    repository: Repository, merged: Merged, *, ours: str, theirs: str, name: str, folder: Path
) -> Merged:
    """The outcome of a merge with `yours` and `name` in the place of the two commits.

    :param folder: takes scratch files.
    """
    words = {ours: YOURS, theirs: name}
    common = repository.git.run("merge-base", "--all", ours, theirs, accept=(0, 1)).stdout
    words = dict.fromkeys(common.decode("ascii").split(), BEFORE) | words
    entries = entries_at(repository.git, merged.tree, sorted(merged.conflicts))
    changes: dict[bytes, Entry | None] = {}
    renamed = {path: _renamed(path, words, entries) for path in merged.conflicts}
    for path, entry in entries.items():
        told = _told(repository, entry, words)
        if told != entry or renamed[path] != path:
            changes |= {path: None} | {renamed[path]: told}
    if not changes:
        return merged
    index = folder / "marked-index"
    tree = changed_tree(
        repository.git, merged.tree, changes, index=index, null_id=repository.null_id
    )
    return Merged(tree, {renamed[path]: stages for path, stages in merged.conflicts.items()})


def _told(repository: Repository, entry: Entry, words: Mapping[str, str]) -> Entry:
    if not entry.is_file:
        return entry
    content = repository.git.run("cat-file", "blob", entry.oid).stdout
    marked = _MARK.sub(lambda found: found[1] + _word(found[2], words), content)
    if marked == content:
        return entry
    oid = repository.git.text("hash-object", "-w", "--stdin", stdin=marked)
    return replace(entry, oid=oid)


def _renamed(path: bytes, words: Mapping[str, str], taken: Mapping[bytes, Entry]) -> bytes:
    name = _INVENTED.sub(
        lambda found: b"~" + _word(found[1], words).replace(b" ", b"-"), path, count=1
    )
    return path if name in taken else name


def _word(shown: bytes, words: Mapping[str, str]) -> bytes:
    """The word for a commit; of the one that both came from, git shows an abbreviation."""
    oid = shown.decode("ascii")
    for known, word in words.items():
        if known == oid or (word == BEFORE and known.startswith(oid)):
            return word.encode()
    return shown
