"""What lies at certain paths of the user's tree at this moment, as git would store it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sideshoot.git.trees import EXECUTABLE, REGULAR, Entry, index_info
from sideshoot.workspace.index_file import IndexFile
from sideshoot.workspace.places import facts, holds_blob, parents
from sideshoot.workspace.snapshot import add_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository

PATHSPEC_LIMIT = 64
"""Up to this many paths git is asked for them alone; it compares each with every entry."""


@dataclass(frozen=True, slots=True)
class Present:
    """One path as it is now."""

    entry: Entry | None
    """What git would store; `None` if nothing that it could store is there."""
    facts: os.stat_result | None
    """The `lstat` from before its content was read; `None` if nothing is there."""
    verbatim: bool = False
    """Whether the bytes that lie there are the bytes that git stores."""

    @property
    def is_folder(self) -> bool:
        return self.facts is not None and stat.S_ISDIR(self.facts.st_mode)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What the user's index has at a path."""

    stages: Mapping[int, Entry]
    """By git's stage: 0, or 1 to 3 in an unfinished merge."""
    hidden: bool
    """Marked assume-unchanged."""
    skipped: bool
    """Marked skip-worktree: outside a sparse checkout."""

    @property
    def entry(self) -> Entry | None:
        return self.stages.get(0)


def present_at(
    repository: Repository,
    paths: Sequence[bytes],
    *,
    known: Mapping[bytes, Entry],
    index: Mapping[bytes, IndexEntry],
    scratch_index: Path,
) -> dict[bytes, Present]:
    """Look at these paths, and at nothing else.

    :param known: entries that give the mode where the file system can't (`core.fileMode=false`).
    :param index: what the user's index has; a path that a sparse checkout leaves out is what the
        index says.
    :param scratch_index: a file for the index that this takes.
    """
    seen = {path: facts(repository.top, path) for path in paths}
    present = {path: Present(None, found) for path, found in seen.items()}
    doubtful = []
    for path, found in seen.items():
        if found is None or not _storable(found):
            continue
        entry = known.get(path)
        if entry is not None and _is_verbatim(repository, path, found, entry):
            present[path] = Present(entry, found, verbatim=True)
        else:
            doubtful.append(path)
    entries = _as_git_stores(repository, doubtful, known, scratch_index) if doubtful else {}
    for path in doubtful:
        present[path] = Present(entries.get(path), seen[path], verbatim=_is_link(seen[path]))
    for path, staged in index.items():
        if staged.skipped and seen.get(path) is None and path in present:
            present[path] = Present(staged.entry, None)
    return present


def _is_verbatim(repository: Repository, path: bytes, found: os.stat_result, entry: Entry) -> bool:
    """Whether a file is to the byte the blob that is expected there.

    Only then it needs no git call: where a filter stands between the two, git has to say.
    """
    executable = bool(found.st_mode & stat.S_IXUSR)
    if not stat.S_ISREG(found.st_mode) or entry.mode != (EXECUTABLE if executable else REGULAR):
        return False
    return holds_blob(repository.top, path, entry.oid, object_format=repository.object_format)


def _as_git_stores(
    repository: Repository,
    paths: Sequence[bytes],
    known: Mapping[bytes, Entry],
    scratch_index: Path,
) -> dict[bytes, Entry]:
    git = repository.git.with_index(scratch_index)
    seed = [(path, known[path]) for path in paths if path in known]
    git.run(
        "update-index", "-z", "--add", "--index-info", stdin=index_info(seed, repository.null_id)
    )
    add_files(repository, git, paths)
    staged = _staged(git.fields("ls-files", "-s", "-z"))
    return {path: stages[0] for path, stages in staged.items()}


def index_at(
    repository: Repository,
    paths: Sequence[bytes],
    expected: Mapping[bytes, Entry] = MappingProxyType({}),
) -> dict[bytes, IndexEntry]:
    """What the user's index has at these paths; what it lacks is left out.

    :param expected: what it has most likely; if so for all of them, git need not be asked.
    """
    if paths and expected.keys() >= {*paths} and _has(repository, expected):
        return {
            path: IndexEntry({0: entry}, hidden=False, skipped=False)
            for path, entry in expected.items()
        }
    names = [os.fsdecode(path) for path in paths] if len(paths) <= PATHSPEC_LIMIT else []
    git = repository.git.having(GIT_LITERAL_PATHSPECS="1")
    wanted = set(paths)
    found: dict[bytes, IndexEntry] = {}
    for record in git.fields("ls-files", "-s", "-v", "-z", "--", *names) if paths else []:
        tag, (path, stages) = record[:1], *_staged([record[2:]]).items()
        if path in wanted:
            earlier = found[path].stages if path in found else {}
            hidden, skipped = tag.islower(), tag.upper() == b"S"
            found[path] = IndexEntry({**earlier, **stages}, hidden=hidden, skipped=skipped)
    return found


def _has(repository: Repository, expected: Mapping[bytes, Entry]) -> bool:
    index = IndexFile.read(repository.index, repository.object_format, trusted=True)
    return index is not None and index.find(expected) is not None


def index_around(repository: Repository, paths: Sequence[bytes]) -> dict[bytes, Entry]:
    """What the user's index has above or below these paths, and could not have beside them."""
    if not paths:
        return {}
    wanted = set(paths)
    above = {parent for path in paths for parent in parents(path)}
    names = sorted(wanted | above)
    asked = [os.fsdecode(name) for name in names] if len(names) <= PATHSPEC_LIMIT else []
    git = repository.git.having(GIT_LITERAL_PATHSPECS="1")
    return {
        path: stages[0]
        for path, stages in _staged(git.fields("ls-files", "-s", "-z", "--", *asked)).items()
        if 0 in stages and (path in above or not wanted.isdisjoint(parents(path)))
    }


def _storable(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)


def _is_link(found: os.stat_result | None) -> bool:
    return found is not None and stat.S_ISLNK(found.st_mode)


def _staged(records: Sequence[bytes]) -> dict[bytes, dict[int, Entry]]:
    found: dict[bytes, dict[int, Entry]] = {}
    for record in records:
        head, path = record.split(b"\t", 1)
        mode, oid, stage = head.decode("ascii").split(" ")
        found.setdefault(path, {})[int(stage)] = Entry(mode, oid)
    return found
