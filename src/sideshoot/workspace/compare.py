"""What differs between two commits, for people and for programs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sideshoot.git.command import rest_of
from sideshoot.git.trees import NO_INDEX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sideshoot.git import Git, Repository

_STATUS = {"A": "added", "M": "modified", "D": "deleted", "R": "renamed", "T": "type_changed"}

# `diff-tree` knows nothing of what a user has configured for showing diffs; what is left is said.
_SHAPE = ("-r", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
_PATCH = ("-p", "--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")

_PATHSPEC_LIMIT = 200
"""As many paths go on a command line; past that, git tells of all and the rest is left out."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file."""

    path: bytes
    status: str
    """added, modified, deleted, renamed, type_changed or mode_changed."""
    old_path: bytes | None = None
    insertions: int = 0
    """Lines; 0 for a binary file, as for deletions."""
    deletions: int = 0
    binary: bool = False


def changed_files(
    repository: Repository,
    base: str,
    result: str,
    paths: Collection[bytes] = (),
    *,
    text_limit: int | None = None,
) -> list[FileChange]:
    """The files that differ between two commits or trees, with renames as git finds them.

    :param paths: only those at these paths or below them.
    :param text_limit: what is larger than so many bytes counts as binary and is not read.
    """
    few = paths if len(paths) <= _PATHSPEC_LIMIT else ()
    answer = _comparing(repository.git.with_index(NO_INDEX), text_limit).run(
        "diff-tree", *_SHAPE, "--raw", "--numstat", "-z", base, result, "--", *map(os.fsdecode, few)
    )
    found = _parse(answer.stdout)
    if few == paths:
        return found
    wanted = set(paths)
    return [change for change in found if _is_below(change.path, wanted)]


def write_patch(
    repository: Repository,
    base: str,
    result: str,
    out: BinaryIO,
    paths: Collection[bytes] = (),
    *,
    color: bool = False,
) -> None:
    """Write the patch that leads from one commit to the other, as `git apply` reads it.

    :param out: an open file with a descriptor of its own; the patch is never held in memory.
    :param color: colour it for a terminal.
    """
    colored = "always" if color else "never"
    argv = ["diff-tree", *_SHAPE, *_PATCH, f"--color={colored}", base, result, "--"]
    argv += map(os.fsdecode, paths)
    out.flush()
    process = _comparing(repository.git).start(*argv, stdout=out.fileno())
    # A reader that has seen enough (`head`, a pager that was left) is no failure.
    rest_of(argv, process, accept=(0, -13, 141))


def read_patch(
    repository: Repository,
    base: str,
    result: str,
    paths: Collection[bytes],
    *,
    limit: int,
    text_limit: int | None = None,
) -> tuple[bytes, bool]:
    """The patch for these paths as people read it, and whether that is all of it.

    No more than `limit` bytes are read; git is ended where it has more to say. Names are quoted as
    git does where they are no plain UTF-8.

    :param paths: at most some hundreds; of a renamed file both.
    :param text_limit: as for `changed_files`.
    """
    argv = ["diff-tree", *_SHAPE, "-p", "--src-prefix=a/", "--dst-prefix=b/", "--no-color"]
    argv += [base, result, "--", *map(os.fsdecode, paths)]
    git = _comparing(repository.git, text_limit).configured({"core.quotePath": "false"})
    process = git.start(*argv)
    assert process.stdout is not None
    patch = process.stdout.read(limit)
    if len(patch) == limit and process.stdout.read(1):
        process.kill()
        rest_of(argv, process, accept=(0, -9))
        return patch, False
    rest_of(argv, process)
    return patch, True


def _comparing(git: Git, text_limit: int | None = None) -> Git:
    literal = git.having(GIT_LITERAL_PATHSPECS="1")
    if text_limit is None:
        return literal
    return literal.configured({"core.bigFileThreshold": str(text_limit)})


def _is_below(path: bytes, wanted: Collection[bytes]) -> bool:
    """Whether a path or a folder that it lies in is one of those."""
    ends = [place for place, letter in enumerate(path) if letter == 0x2F]
    return path in wanted or any(path[:end] in wanted for end in ends)


def _parse(output: bytes) -> list[FileChange]:
    """Read raw records, then the counts of lines, as `--raw --numstat -z` gives them."""
    fields = iter(output.split(b"\0")[:-1])
    raw: list[tuple[list[str], bytes, bytes | None]] = []
    counts: dict[bytes, tuple[bytes, bytes]] = {}
    for record in fields:
        if record.startswith(b":"):
            raw.append(_raw_record(record, fields))
        else:
            path, count = _count_record(record, fields)
            counts[path] = count
    return [_change(facts, path, old, counts.get(path)) for facts, path, old in raw]


def _raw_record(record: bytes, fields: Iterator[bytes]) -> tuple[list[str], bytes, bytes | None]:
    facts = record[1:].decode("ascii").split(" ")
    first = next(fields)
    return (facts, next(fields), first) if facts[4][0] in "RC" else (facts, first, None)


def _count_record(record: bytes, fields: Iterator[bytes]) -> tuple[bytes, tuple[bytes, bytes]]:
    insertions, deletions, path = record.split(b"\t", 2)
    if not path:  # renamed: the old and the new name follow
        next(fields)
        path = next(fields)
    return path, (insertions, deletions)


def _change(
    facts: list[str], path: bytes, old: bytes | None, count: tuple[bytes, bytes] | None
) -> FileChange:
    old_mode, new_mode, old_oid, new_oid, letter = facts
    status = _STATUS[letter[0]]
    if letter == "M" and old_oid == new_oid and old_mode != new_mode:
        status = "mode_changed"
    if count is None or count[0] == b"-":
        return FileChange(path, status, old, binary=count is not None)
    return FileChange(path, status, old, int(count[0]), int(count[1]))
