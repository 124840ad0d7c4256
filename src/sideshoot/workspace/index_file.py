"""An index file as it lies there: a few entries found and changed, without reading all the others.

git reads, checks and writes a whole index with each command, which at two hundred thousand files
takes longer than all else that a keep does. Here entries are found by their bytes. It is used only
where nothing else in the file changes with them: an entry stays where it is and only says something
else, and the trees that git remembers of the folders above it are struck out.

The format is git's (gitformat-index), of version 2 or 3. Whatever is unusual (a split or a sparse
index, an extension that is not known here) is left to git.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
from typing import TYPE_CHECKING, Self

from sideshoot.workspace.copying import LENGTH, STAT, stamp
from sideshoot.workspace.places import parents

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from sideshoot.git.trees import Entry

_HEADER = struct.Struct(">4sII")
_EXTENSION = struct.Struct(">4sI")
_MODE = struct.Struct(">I")
_MODE_AT = 24
"""Where the mode is in an entry."""

_TREES = b"TREE"
_KNOWN = frozenset({_TREES, b"REUC", b"UNTR"})
"""Extensions that stay true when an entry gets another object, or can be made so."""

_NODE = re.compile(rb"([^\0]*)\0(-?\d+) (\d+)\n", re.DOTALL)
"""What is remembered of a folder: its name, how many entries it has, and how many folders follow that
lie in it. The tree's id is next, unless the number of entries is negative."""


class IndexFile:
    """The bytes of an index."""

    def __init__(
        self, data: bytes, facts: os.stat_result, extensions: int, object_format: str
    ) -> None:
        self._data: bytes | bytearray = data
        self._facts = facts
        self._extensions = extensions
        self._format = object_format
        self._id_size = _id_size(object_format)

    @classmethod
    def read(cls, path: Path, object_format: str, *, trusted: bool = False) -> Self | None:
        """Read an index; `None` if it can't be read, is not whole, or of a kind to leave to git.

        :param trusted: it need not be compared with its checksum.
        """
        try:
            with path.open("rb") as file:
                data, facts = file.read(), os.fstat(file.fileno())
        except OSError:
            return None  # git will say why
        size = _id_size(object_format)
        if len(data) < _HEADER.size + size:
            return None
        signature, version, _ = _HEADER.unpack_from(data)
        extensions = _extensions_at(data, len(data) - size)
        if signature != b"DIRC" or version not in (2, 3) or extensions is None:
            return None
        if not trusted and _checksum(memoryview(data)[:-size], object_format) != data[-size:]:
            return None
        return cls(data, facts, extensions, object_format)

    def find(self, expected: Mapping[bytes, Entry]) -> dict[bytes, int] | None:
        """Where the entries of these paths begin; `None` unless it has just these for all of them.

        What is unmerged, hidden or left out of a sparse checkout is something else.
        """
        found, at = {}, _HEADER.size
        for path, entry in sorted(expected.items()):
            head = bytes.fromhex(entry.oid) + min(len(path), LENGTH).to_bytes(2, "big")
            at = self._data.find(head + path + b"\0", at, self._extensions)
            start = at - STAT.size
            if start < _HEADER.size or (start - _HEADER.size) % 8:
                return None
            if self._mode(start) != int(entry.mode, 8):
                return None
            found[path] = start
        return found

    def replace(self, old: Mapping[bytes, Entry], new: Mapping[bytes, Entry]) -> bool:
        """Give the entries of some paths, which are `old`, another mode and object; whether it could.

        They know nothing of any file then.
        """
        found = self.find(old)
        if found is None:
            return False
        data = self._writable()
        for path, start in found.items():
            entry, end = new[path], start + STAT.size
            data[start:end] = bytes(STAT.size)
            _MODE.pack_into(data, start + _MODE_AT, int(entry.mode, 8))
            data[end : end + self._id_size] = bytes.fromhex(entry.oid)
        above = {parent for path in new for parent in parents(path)}
        return self._forget_trees({b"", *above})

    def know(self, entries: Mapping[bytes, Entry], files: Mapping[bytes, os.stat_result]) -> bool:
        """Let entries know the files that hold just what they say; whether it could."""
        found = self.find(entries)
        if found is None:
            return False
        data = self._writable()
        for path, facts in files.items():
            STAT.pack_into(data, found[path], *stamp(facts, self._mode(found[path])))
        return True

    def write(self, target: Path) -> None:
        """Write it to a file with the permissions and the times of the one that was read.

        An entry whose file is as young as the index may be another than it says, and git reads that
        file. With a new time it would look sure of all of them.
        """
        body = memoryview(self._data)[: -self._id_size]
        with target.open("wb") as file:
            file.write(body)
            file.write(_checksum(body, self._format))
            os.fchmod(file.fileno(), stat.S_IMODE(self._facts.st_mode))
        os.utime(target, ns=(self._facts.st_atime_ns, self._facts.st_mtime_ns))

    def _writable(self) -> bytearray:
        # Who only looks for entries of a large index need not copy it.
        data = self._data if isinstance(self._data, bytearray) else bytearray(self._data)
        self._data = data
        return data

    def _mode(self, start: int) -> int:
        (mode,) = _MODE.unpack_from(self._data, start + _MODE_AT)
        return int(mode)

    def _forget_trees(self, folders: Collection[bytes]) -> bool:
        data = self._writable()
        signature, size = _EXTENSION.unpack_from(data, self._extensions)
        begin = self._extensions + _EXTENSION.size
        trees = _without(bytes(data[begin : begin + size]), folders, self._id_size)
        if trees is None:
            return False
        head = _EXTENSION.pack(signature, len(trees))
        data[self._extensions : begin + size] = head + trees
        return True


def _without(trees: bytes, folders: Collection[bytes], id_size: int) -> bytes | None:
    """What git remembers of trees, but for those of these folders; `None` if it can't be read."""
    kept, copied, at = bytearray(), 0, 0
    above: list[tuple[bytes, int]] = []
    while at < len(trees):
        node = _NODE.match(trees, at)
        if node is None:
            return None
        name, entries, inside = node.groups()
        while above and not above[-1][1]:
            above.pop()
        if above:
            folder, left = above[-1]
            above[-1] = (folder, left - 1)
            name = folder + b"/" + name if folder else name
        above.append((name, int(inside)))
        at = node.end() if entries.startswith(b"-") else node.end() + id_size
        if name in folders:
            kept += trees[copied : node.start(2)] + b"-1 " + inside + b"\n"
            copied = at
    return bytes(kept + trees[copied:])


def _extensions_at(data: bytes, end: int) -> int | None:
    """Where the extensions begin, of which the first holds trees; `None` if it is otherwise."""
    at = data.rfind(_TREES, _HEADER.size, end)
    while at != -1 and not _lead_to(data, at, end):
        at = data.rfind(_TREES, _HEADER.size, at)
    # An entry ends with a NUL byte, and its length is a multiple of eight. A split index has the
    # name of the other part in front of the trees.
    if at == -1 or data[at - 1] or (at - _HEADER.size) % 8 or b"link" in data[at - 4096 : at]:
        return None
    return at


def _lead_to(data: bytes, at: int, end: int) -> bool:
    while at + _EXTENSION.size <= end:
        signature, size = _EXTENSION.unpack_from(data, at)
        if signature not in _KNOWN:
            return False
        at += _EXTENSION.size + size
    return at == end


def _checksum(data: bytes | memoryview, object_format: str) -> bytes:
    return hashlib.new(object_format, data, usedforsecurity=False).digest()


def _id_size(object_format: str) -> int:
    return hashlib.new(object_format, usedforsecurity=False).digest_size
