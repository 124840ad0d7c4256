"""How large a folder is, found out within a moment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 0.5

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a folder's files; `whole` is false where the time did not suffice to count all."""

    bytes: int
    whole: bool

    def __str__(self) -> str:
        return show_size(self.bytes) if self.whole else f"more than {show_size(self.bytes)}"


def folder_size(folder: Path, *, patience_s: float = PATIENCE_S) -> Size | None:
    """How much a folder holds; `None` if it is not there."""
    if not folder.is_dir():
        return None
    deadline = time.monotonic() + patience_s
    total, folders = 0, [os.fspath(folder)]
    while folders:
        if time.monotonic() > deadline:
            return Size(total, whole=False)
        size, inner = _listed(folders.pop())
        total += size
        folders += inner
    return Size(total, whole=True)


def show_size(size: float) -> str:
    """`812 bytes`, `3.4 MB`."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def _listed(folder: str) -> tuple[int, list[str]]:
    total, inner = 0, []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        # It went away while it was counted, or is not ours to read.
        pass
    return total, inner
