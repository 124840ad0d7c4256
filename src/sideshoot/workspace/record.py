"""What a keep replaced, under a ref, so that it can be taken back byte for byte.

The message of the commit at `undo_ref` is JSON: for each path what lay there, raw (the bytes that
were on disk, before any filter) and as git stores them, what the keep put there, and what the index
had and got. Its tree holds all those blobs under numbers, so that none is ever lost. The commit's
parent is the keep before it, if that was a part.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sideshoot.git.trees import Entry
from sideshoot.workspace.places import from_text, to_text
from sideshoot.workspace.refs import undo_ref

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    commit: str | None = None
    """The commit that the keep made; it stays when the keep is taken back."""
    previous: str | None = None
    """The record of the job's keep before this one."""

    @property
    def outside(self) -> set[bytes]:
        """Paths that only the index had: they were outside of a sparse checkout."""
        files = {path for path, entry in self.before.items() if entry and entry.is_file}
        return {path for path in files if self.raw.get(path) is None}


def save_record(repository: Repository, record: KeepRecord) -> str:
    """Write a record into the object store and return its commit; no ref names it yet."""
    parts = (record.raw, record.before, record.after, record.staged_before)
    held = {entry for part in parts for entry in part.values() if entry and entry.is_file}
    lines = [
        f"{entry.mode} blob {entry.oid}\t{number}\0"
        for number, entry in enumerate(sorted(held, key=lambda entry: (entry.oid, entry.mode)))
    ]
    tree = repository.git.text("mktree", "-z", "--missing", stdin="".join(lines).encode())
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
    return KeepRecord(
        raw=_entries(facts["raw"]),
        before=_entries(facts["before"]),
        after=_entries(facts["after"]),
        staged_before=_entries(facts["staged_before"]),
        staged_after=_entries(facts["staged_after"]),
        modes={from_text(path): mode for path, mode in facts["modes"].items()},
        extras={from_text(path): digest for path, digest in facts["extras"].items()},
        commit=facts["commit"],
        previous=previous[0] if previous else None,
    )


def _described(record: KeepRecord) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "raw": _words(record.raw),
        "before": _words(record.before),
        "after": _words(record.after),
        "staged_before": _words(record.staged_before),
        "staged_after": _words(record.staged_after),
        "modes": {to_text(path): mode for path, mode in record.modes.items()},
        "extras": {to_text(path): digest for path, digest in record.extras.items()},
        "commit": record.commit,
    }


def _words(entries: Entries) -> dict[str, str]:
    return {to_text(p): f"{e.mode} {e.oid}" if e else "" for p, e in entries.items()}


def _entries(words: Mapping[str, str]) -> Entries:
    return {
        from_text(path): Entry(*text.split(" ")) if text else None for path, text in words.items()
    }


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
