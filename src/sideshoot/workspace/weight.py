"""What folders take on the disk: each block once, however many files have it."""

from __future__ import annotations

import contextlib
import math
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.workspace.extents import Stretches, extents
from sideshoot.workspace.mounts import mounts

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_BLOCK = 512
"""The unit of `st_blocks`, whatever the file system's own is."""

_NEVER_SHARING = frozenset(
    {b"ext2", b"ext3", b"ext4", b"tmpfs", b"ramfs", b"vfat", b"exfat", b"f2fs", b"ntfs3"}
)
"""File systems on which no two files have a block in common: there nobody has to ask."""


@dataclass(slots=True)
class Weight:
    """What one folder takes."""

    own_bytes: int = 0
    """In blocks that nothing else has."""
    shared: Stretches = field(default_factory=Stretches)
    """Blocks that other files have, too, wherever these lie."""
    whole: bool = True
    """Whether there was time to look at everything."""


class Scales:
    """Weighs folders. A file with several names (hard links) counts where it is met first."""

    def __init__(self) -> None:
        self._known: set[tuple[int, int]] = set()

    def weigh(
        self,
        folder: Path,
        *,
        without: Collection[Path] = (),
        patience_s: float = math.inf,
    ) -> Weight:
        """Look at all that lies in a folder; links are not followed, mounts not entered.

        :param without: folders that are left out.
        :param patience_s: after so many seconds what was found by then has to do.
        """
        weight, deadline = Weight(), time.monotonic() + patience_s
        asks = _may_share(folder)
        left_out = {os.fspath(path) for path in without}
        try:
            waiting, device = [os.fspath(folder)], os.lstat(folder).st_dev
        except OSError:
            return weight
        while waiting:
            if time.monotonic() > deadline:
                weight.whole = False
                break
            waiting += [
                place
                for place, seen in self._listed(waiting.pop(), weight, asks=asks)
                if seen.st_dev == device and place not in left_out
            ]
        return weight

    def _listed(
        self, folder: str, weight: Weight, *, asks: bool
    ) -> list[tuple[str, os.stat_result]]:
        """Count what lies directly in a folder; return the folders in it."""
        folders = []
        # It may go away while it is looked at, or be somebody else's.
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            weight.own_bytes += os.lstat(folder).st_blocks * _BLOCK
            for entry in entries:
                with contextlib.suppress(OSError):
                    seen = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(seen.st_mode):
                        folders.append((entry.path, seen))
                    elif self._is_new(seen):
                        self._add(entry.path, seen, weight, asks=asks)
        return folders

    def _is_new(self, seen: os.stat_result) -> bool:
        if seen.st_nlink == 1:
            return True
        name = (seen.st_dev, seen.st_ino)
        if name in self._known:
            return False
        self._known.add(name)
        return True

    def _add(self, path: str, seen: os.stat_result, weight: Weight, *, asks: bool) -> None:
        taken = seen.st_blocks * _BLOCK
        if asks and taken and stat.S_ISREG(seen.st_mode):
            stretches = _shared_stretches(path)
            weight.shared.add(seen.st_dev, stretches)
            taken -= sum(end - start for start, end in stretches)
        weight.own_bytes += max(taken, 0)


def _shared_stretches(path: str) -> list[tuple[int, int]]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return [extent.stretch for extent in extents(handle) if extent.is_shared]
    except OSError:
        return []
    finally:
        os.close(handle)


def _may_share(folder: Path) -> bool:
    """Whether files there can have blocks in common, by the name of the file system."""
    real = os.fsencode(os.path.realpath(folder))
    holders = [mount for mount in mounts() if _holds(mount.point, real)]
    if not holders:
        return False  # Other systems have no FIEMAP.
    return max(holders, key=lambda mount: len(mount.point)).kind not in _NEVER_SHARING


def _holds(point: bytes, path: bytes) -> bool:
    return point in (b"/", path) or path.startswith(point + b"/")
