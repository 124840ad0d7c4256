"""Fill a workspace with copies of the user's own files, where that is what git would write.

A checkout unpacks every file, and `git status` after it reads them all again, since they are as
young as the index. A file of the user's whose entry in their index is clean and is also the base's
holds what a checkout would write, or what to git means the same (other line ends, a pointer to a
large file in the place of the file). It is copied, its time with it, and an index is made that
knows the copies. That takes less than half the time, and all that compares the workspace with that
index later need not read the files.

Everything else is left to git: what is dirty, staged, hidden, sparse, unmerged or a submodule, what
can't be read or changes meanwhile, and the whole workspace where an attributes file of the user's
is not the base's, for such a file says what filters do.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import mmap
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.git.trees import parse_raw
from sideshoot.workspace import copying
from sideshoot.workspace.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.base import Base
    from sideshoot.workspace.place import Workspace

WORTHWHILE = 20
"""With fewer files, a checkout takes no longer."""

SHARE = 1000
"""A further process begins to pay from about this many files on."""

PART = 250
"""So many files a process takes at once, and so many parts there are at most: more would not fit into
a pipe on every system."""

MOST_PROCESSES = 4

_HEADER = struct.Struct(">4sII")
_EXTENSION = struct.Struct(">4sI")


@dataclass
class _Index:
    """An index file of version 2 or 3, or one that is of no use here (`entries` is empty)."""

    path: Path
    written_ns: int
    id_size: int
    entries: list[int] = field(default_factory=list)
    """Where each entry begins, and at last where the entries end."""
    tree_cache: bytes = b""
    """The extension in which git remembers trees; it stays true, the others do not."""


@dataclass(frozen=True)
class _Work:
    source: Path
    target: Path
    index: _Index
    skip: Path
    """A file with the paths, ended by NUL bytes, that are not to be copied."""


def fill(
    repository: Repository,
    workspace: Workspace,
    base: Base,
    *,
    wanted: Callable[[bytes], bool] | None = None,
) -> bool:
    """Copy into the new workspace what can be copied, and make its private index.

    :param repository: the user's working tree.
    :param wanted: whether the workspace shall have the user's file at a path; all by default.
    :return: whether that was all. If not, `git read-tree --reset -u` with the private index, which
        exists or not, does what is left.
    """
    with scratch(repository) as folder:
        index = _copied_index(repository, folder / "index")
        if len(index.entries) <= WORTHWHILE:
            return False
        different = _different(repository, index, base.tree)
        if any(path.endswith(copying.ATTRIBUTES) for path in different):
            return False
        skip = folder / "skip"
        unwanted = [path for path in _paths(index) if not wanted(path)] if wanted else []
        skip.write_bytes(b"\0".join([*different, *unwanted]))
        done = _copy_all(_Work(repository.top, workspace.path, index, skip))
        if done is None or done.attributes:
            _empty(workspace)
            return False
        _write_index(index, workspace.private_index, repository.object_format)
    return not (done.left or different or _is_sparse(workspace))


def _copied_index(repository: Repository, target: Path) -> _Index:
    """The user's index as an index of a version that can be read here."""
    index = _Index(target, 0, len(repository.null_id) // 2)
    with contextlib.suppress(FileNotFoundError), repository.index.open("rb") as file:
        index.written_ns = os.fstat(file.fileno()).st_mtime_ns
        target.write_bytes(file.read())
        os.utime(target, ns=(index.written_ns, index.written_ns))
        _read(index)
    return index


def _read(index: _Index) -> None:
    data = index.path.read_bytes()
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in (2, 3) or count < WORTHWHILE:
        return
    offsets = _offsets(data, count, index.id_size)
    for name, content in _extensions(data, offsets[-1], index.id_size):
        if name == b"TREE":
            index.tree_cache = _EXTENSION.pack(name, len(content)) + content
        elif not name[:1].isupper():
            return  # A part of a split index, or a sparse one: more than a list of entries.
    index.entries = offsets


def _offsets(data: bytes, count: int, id_size: int) -> list[int]:
    offsets = [_HEADER.size]
    offset, to_flags = _HEADER.size, copying.STAT.size + id_size
    for _ in range(count):
        _, end = copying.path_bounds(data, offset + to_flags)
        offset = copying.next_entry(offset, end)
        offsets.append(offset)
    return offsets


def _paths(index: _Index) -> Iterator[bytes]:
    data, to_flags = index.path.read_bytes(), copying.STAT.size + index.id_size
    for offset in index.entries[:-1]:
        start, end = copying.path_bounds(data, offset + to_flags)
        yield data[start:end]


def _extensions(data: bytes, start: int, id_size: int) -> Iterator[tuple[bytes, bytes]]:
    while start < len(data) - id_size:
        name, size = _EXTENSION.unpack_from(data, start)
        start += _EXTENSION.size
        yield name, data[start : start + size]
        start += size


def _different(repository: Repository, index: _Index, tree: str) -> list[bytes]:
    """The paths at which the base has something else than the user's index."""
    git = repository.git.with_index(index.path)
    options = ("--cached", "--raw", "-z", "--no-renames", "--ignore-submodules=none")
    return [delta.path for delta in parse_raw(git.run("diff-index", *options, tree, "--").stdout)]


def _copy_all(work: _Work) -> copying.Done | None:
    """Copy with as many processes as pay; `None` if one of them did not come to its end."""
    queue, filled = os.pipe()
    with os.fdopen(queue, "rb", buffering=0), os.fdopen(filled, "wb") as out:
        out.write(b"".join(copying.PART.pack(*part) for part in _parts(work.index)))
        out.close()
        started: list[subprocess.Popen[bytes]] = []
        try:
            started.extend(_start(work, queue) for _ in range(_processes(work.index) - 1))
            done = _copy(work, queue)
            for process in started:
                said, _ = process.communicate()
                if process.returncode:
                    return None
                done = done.with_another(copying.Done.read(said))
        finally:
            for process in started:
                with process:  # Waits for its end, too.
                    process.kill()
    return done


def _parts(index: _Index) -> list[tuple[int, int]]:
    count = len(index.entries) - 1
    bounds = index.entries[: -1 : max(PART, -(-count // PART))]
    return list(itertools.pairwise([*bounds, index.entries[-1]]))


def _processes(index: _Index) -> int:
    return max(1, min(_processors(), MOST_PROCESSES, len(index.entries) // SHARE))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(work: _Work, queue: int) -> subprocess.Popen[bytes]:
    # A process of its own and no fork: other threads of this one may hold any lock just now.
    index = work.index
    program = [sys.executable, "-I", "-S", copying.__file__]
    return subprocess.Popen(
        [*program, work.source, work.target, index.path, work.skip,
         str(index.id_size), str(index.written_ns)],
        stdin=queue,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _copy(work: _Work, queue: int) -> copying.Done:
    with work.index.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as entries:
        copier = copying.Copier(
            entries,
            os.fsencode(work.source),
            os.fsencode(work.target),
            id_size=work.index.id_size,
            older_than_ns=work.index.written_ns,
            skip=frozenset(work.skip.read_bytes().split(b"\0")),
        )
        for part in copying.parts(queue):
            copier.copy(*part)
        return copier.done()


def _write_index(index: _Index, target: Path, object_format: str) -> None:
    with index.path.open("rb") as file:
        body = file.read(index.entries[-1]) + index.tree_cache
    target.write_bytes(body + hashlib.new(object_format, body, usedforsecurity=False).digest())


def _is_sparse(workspace: Workspace) -> bool:
    return (workspace.git_dir / "info" / "sparse-checkout").exists()


def _empty(workspace: Workspace) -> None:
    for path in workspace.path.iterdir():
        if path.name == ".git":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
