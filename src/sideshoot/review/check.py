"""Check findings against what was reviewed: that the file is there, and has those lines.

A model names files and lines from memory. What it has wrong is marked, never left out: the finding may
be right all the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.git.blobs import reading_blobs
from sideshoot.git.trees import GITLINK, SYMLINK, entries_at
from sideshoot.review.names import candidates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sideshoot.git import Repository
    from sideshoot.git.trees import Entry
    from sideshoot.review.findings import Finding, Review

LARGEST = 32 * 1024 * 1024
"""In bytes. The lines of a larger file are not counted, and taken to be there."""

UNKNOWN = "there is no such file in what was reviewed"
REMOVED = "the change removes this file"
SUBMODULE = "it is a submodule"


def check(repository: Repository, review: Review, *, before: str, after: str) -> Review:
    """The review with each finding's file found where it can be, and marked where something is wrong.

    :param before: the commit or tree that the change began at; files that it removed lie there.
    :param after: what it led to, which lines are counted in.
    :raises GitError: one of the two is not there any more.
    """
    named = {finding.file: candidates(finding.file) for finding in review.findings if finding.file}
    paths = list(dict.fromkeys(path for possible in named.values() for path in possible))
    there = entries_at(repository.git, after, paths)
    gone = entries_at(repository.git, before, [path for path in paths if path not in there])
    sides = _Sides(there, gone, _line_counts(repository, _files_of(named.values(), there)))
    findings = (
        _checked(finding, named.get(finding.file, ()), sides) for finding in review.findings
    )
    return replace(review, findings=tuple(findings))


class _Sides:
    """What of the named files lies in the two trees of a change."""

    def __init__(
        self, there: Mapping[bytes, Entry], gone: Mapping[bytes, Entry], lines: Mapping[str, int]
    ) -> None:
        self.there = there
        self.gone = gone
        self._lines = lines

    def lines(self, path: bytes) -> int | None:
        """How many lines a file has; `None` where that is not known."""
        return self._lines.get(self.there[path].oid)


def _checked(finding: Finding, possible: tuple[bytes, ...], sides: _Sides) -> Finding:
    if not finding.file:
        return finding
    for path in possible:
        if path in sides.there:
            return replace(finding, path=path, doubt=_doubt(finding, path, sides))
    for path in possible:
        if path in sides.gone:
            return replace(finding, path=path, doubt=REMOVED)
    return replace(finding, doubt=UNKNOWN)


def _doubt(finding: Finding, path: bytes, sides: _Sides) -> str:
    if sides.there[path].mode == GITLINK:
        return SUBMODULE
    count = sides.lines(path)
    if count is None or finding.line_end <= count:
        return ""
    return f"the file has only {count} lines" if count != 1 else "the file has only 1 line"


def _files_of(named: Iterable[Iterable[bytes]], there: Mapping[bytes, Entry]) -> set[str]:
    """The objects of the files whose lines matter."""
    found = (there[path] for possible in named for path in possible if path in there)
    return {entry.oid for entry in found if entry.mode not in (GITLINK, SYMLINK)}


def _line_counts(repository: Repository, oids: Collection[str]) -> dict[str, int]:
    """How many lines each of these has, leaving out the large ones, by two processes at most."""
    if not oids:
        return {}
    answer = repository.git.run(
        "cat-file",
        "--batch-check=%(objectname) %(objectsize)",
        stdin="".join(f"{oid}\n" for oid in oids).encode(),
    )
    sizes = [line.split(b" ") for line in answer.stdout.splitlines()]
    counts = {}
    with reading_blobs(repository.git) as blobs:
        for oid, size in sizes:
            if (
                size.isdigit() and int(size) <= LARGEST
            ):  # not one that is missing from a partial clone
                counter = _LineCounter()
                blobs.copy(oid.decode(), counter)
                counts[oid.decode()] = counter.lines
    return counts


class _LineCounter:
    """Takes the bytes of a file and holds none of them."""

    def __init__(self) -> None:
        self._ended = 0
        self._last = b"\n"

    def write(self, data: bytes) -> int:
        self._ended += data.count(b"\n")
        self._last = data[-1:]
        return len(data)

    @property
    def lines(self) -> int:
        return self._ended + (self._last != b"\n")
