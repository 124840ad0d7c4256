"""Where a path of a tree lies in the file system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def place(top: Path, path: bytes) -> bytes:
    """The file-system place of a path in the working tree at `top`.

    Bytes, since a file name need not be text in any encoding, and since a `Path` for each of fifty
    thousand files takes longer than git does.
    """
    return os.fsencode(top) + b"/" + path


def facts(top: Path, path: bytes) -> os.stat_result | None:
    """The `lstat` of a path, or `None` if nothing is there.

    :raises OSError: it can't be told, for instance because a folder above can't be entered.
    """
    try:
        return os.lstat(place(top, path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def parents(path: bytes) -> list[bytes]:
    """The folders above a path, outermost first: `a/b/c` has `a` and `a/b`."""
    parts = path.split(b"/")
    return [b"/".join(parts[:length]) for length in range(1, len(parts))]
