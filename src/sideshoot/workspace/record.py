"""What a keep replaced, under a ref, so that it can be taken back byte for byte.

The tree of the commit at `undo_ref` has these folders:

``old``     what lay at the changed paths, raw: the bytes that were on disk, before any filter
``before``  the same paths as git stores them
``after``   what the keep put there, as git stores it
``staged``  the index entries that it replaced

and the commit's message is JSON with the modes of the old files and what the index had and got. The
commit's parent is the keep before it, if that was a part.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sideshoot.git.trees import Entry, entries_at, index_info
from sideshoot.workspace.refs import undo_ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository

FORMAT = 1

Entries = dict[bytes, Entry | None]


@dataclass(frozen=True, slots=True)
class KeepRecord:
    """One keep: the paths that it changed, and both sides of each."""

    raw: Entries
    """What lay there, unfiltered; `None` where nothing lay."""
    before: Entries
    after: Entries
    staged_before: Entries
    staged_after: Entries
    modes: Mapping[bytes, int]
    """The permissions of the old files."""
    extras: Mapping[bytes, str] = field(default_factory=dict)
    """What was put there beside git's own (ignored files, repositories), and its `fingerprint`."""
    previous: str | None = None
    """The record of the job's keep before this one."""


def save_record(repository: Repository, record: KeepRecord, *, index: Path) -> str:
    """Write a record into the object store and return its commit; no ref names it yet.

    :param index: a scratch file for the index that this takes.
    """
    parts = {
        b"old/": record.raw,
        b"before/": record.before,
        b"after/": record.after,
        b"staged/": record.staged_before,
    }
    entries = [
        (folder + path, entry)
        for folder, part in parts.items()
        for path, entry in part.items()
        if entry is not None
    ]
    git = repository.git.with_index(index)
    info = index_info(entries, repository.null_id)
    git.run("update-index", "--add", "--replace", "-z", "--index-info", stdin=info)
    tree = git.text("write-tree", "--missing-ok")
    parents = (record.previous,) if record.previous else ()
    return repository.commit(tree, parents=parents, message=json.dumps(_described(record)))


def load_record(repository: Repository, job_id: str) -> KeepRecord | None:
    """The last keep of a job that was not taken back, or `None`."""
    commit = repository.ref(undo_ref(job_id))
    if commit is None:
        return None
    header, _, message = repository.git.run("cat-file", "commit", commit).stdout.partition(b"\n\n")
    facts = json.loads(message)
    previous = [line[7:].decode() for line in header.splitlines() if line.startswith(b"parent ")]
    paths = [base64.b64decode(text) for text in facts["paths"]]
    return KeepRecord(
        raw=_part(repository, commit, "old", paths),
        before=_part(repository, commit, "before", paths),
        after=_part(repository, commit, "after", paths),
        staged_before=_entries(facts["staged_before"]),
        staged_after=_entries(facts["staged_after"]),
        modes={base64.b64decode(path): mode for path, mode in facts["modes"].items()},
        extras={base64.b64decode(path): print_ for path, print_ in facts["extras"].items()},
        previous=previous[0] if previous else None,
    )


def _part(repository: Repository, commit: str, folder: str, paths: Sequence[bytes]) -> Entries:
    prefix = f"{folder}/".encode()
    found = entries_at(repository.git, commit, [prefix + path for path in paths])
    return {path: found.get(prefix + path) for path in paths}


def _described(record: KeepRecord) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "paths": [_text(path) for path in sorted(record.after)],
        "modes": {_text(path): mode for path, mode in record.modes.items()},
        "extras": {_text(path): print_ for path, print_ in record.extras.items()},
        "staged_before": _words(record.staged_before),
        "staged_after": _words(record.staged_after),
    }


def _words(entries: Entries) -> dict[str, str]:
    return {_text(p): f"{e.mode} {e.oid}" if e else "" for p, e in entries.items()}


def _entries(words: Mapping[str, str]) -> Entries:
    return {
        base64.b64decode(path): Entry(*text.split(" ")) if text else None
        for path, text in words.items()
    }


def _text(path: bytes) -> str:
    return base64.b64encode(path).decode("ascii")


def fingerprint(where: bytes) -> str:
    """A digest of a file or of all that is in a folder, by names, modes, sizes and times."""
    digest = hashlib.sha256()
    for name in sorted(_all_below(where)):
        found = os.lstat(name)
        size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
        time = 0 if stat.S_ISDIR(found.st_mode) else found.st_mtime_ns
        digest.update(b"%s\0%o %d %d\0" % (name[len(where) :], found.st_mode, size, time))
    return digest.hexdigest()


def _all_below(where: bytes) -> list[bytes]:
    names = [where]
    if not os.path.islink(where):
        for folder, folders, files in os.walk(where):
            names += [folder + b"/" + name for name in (*folders, *files)]
    return names
