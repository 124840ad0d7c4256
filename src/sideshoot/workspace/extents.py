"""Where on the disk a file's bytes lie, and which of them other files have as well.

File systems that let copies share blocks tell it by the ioctl FIEMAP (Documentation/filesystems/fiemap
of Linux; linux/fiemap.h). The others have no shared blocks, or do not say.
"""

from __future__ import annotations

import fcntl
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FS_IOC_FIEMAP = 0xC020660B
_AT_ONCE = 64
"""So many extents are asked for at once."""

_REQUEST = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQ16xI12x")

_LAST = 0x1
_ENCODED = 0x8
_SHARED = 0x2000
_NO_PLACE = 0x2 | 0x4 | 0x200
"""Not known, not yet given one, or inside of the file system's own records."""


class Extent(NamedTuple):
    """A stretch of a file: where it begins there and on the disk, and how long it is, in bytes."""

    logical: int
    physical: int
    length: int
    flags: int

    @property
    def is_shared(self) -> bool:
        """Whether another file, or another part of this one, has the same bytes on the disk."""
        return bool(self.flags & _SHARED) and not self.flags & _NO_PLACE

    @property
    def stretch(self) -> tuple[int, int]:
        """What it takes of the disk: the first byte, and the one behind the last.

        How long something compressed is on the disk is not told. It counts as long as it is in the
        file, at a place that nothing else has.
        """
        start = self.physical
        if self.flags & _ENCODED:
            start = _BEYOND + start * _SPREAD
        return start, start + self.length


_BEYOND = 1 << 64
"""Larger than every disk."""

_SPREAD = 32
"""btrfs compresses at most 128 KiB at a time, into at least 4."""


def extents(handle: int) -> Iterator[Extent]:
    """The extents of an open file.

    :raises OSError: the file system does not tell.
    """
    start = 0
    while True:
        answer = bytearray(_request(start))
        fcntl.ioctl(handle, _FS_IOC_FIEMAP, answer)
        found = [*parse(answer)]
        yield from found
        if not found or found[-1].flags & _LAST:
            return
        start = found[-1].logical + found[-1].length


def parse(answer: bytes | bytearray) -> Iterator[Extent]:
    """What the kernel has filled in."""
    count = min(_REQUEST.unpack_from(answer)[3], _AT_ONCE)
    for number in range(count):
        yield Extent(*_EXTENT.unpack_from(answer, _REQUEST.size + number * _EXTENT.size))


def _request(start: int) -> bytes:
    header = _REQUEST.pack(start, (1 << 64) - 1 - start, 0, 0, _AT_ONCE, 0)
    return header + bytes(_AT_ONCE * _EXTENT.size)


class Stretches:
    """Parts of disks. What is added twice is there once."""

    def __init__(self) -> None:
        self._by_device: dict[int, list[tuple[int, int]]] = {}

    def add(self, device: int, stretches: Iterable[tuple[int, int]]) -> None:
        """Add stretches of one disk, each with its first byte and the one behind its last."""
        self._by_device.setdefault(device, []).extend(stretches)

    def update(self, other: Stretches) -> None:
        """Add all of the other's."""
        for device, stretches in other._by_device.items():
            self.add(device, stretches)

    def __len__(self) -> int:
        """How many bytes they are together."""
        for device, stretches in self._by_device.items():
            self._by_device[device] = _merged(stretches)
        return sum(end - start for parts in self._by_device.values() for start, end in parts)


def _merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
