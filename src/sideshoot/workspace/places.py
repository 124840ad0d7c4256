"""Where a path of a tree lies in the file system."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path


def place(top: Path, path: bytes) -> bytes:
    """The file-system place of a path in the working tree at `top`.

    Bytes, since a file name need not be text in any encoding, and since a `Path` for each of fifty
    thousand files takes longer than git does.
    """
    return os.fsencode(top) + b"/" + path


def facts(top: Path, path: bytes) -> os.stat_result | None:
    """The `lstat` of a path, or `None` if nothing is there.

    What lies behind a link is not in this tree, so there is nothing either.

    :raises OSError: it can't be told, for instance because a folder above can't be entered.
    """
    try:
        found = os.lstat(place(top, path))
        if any(stat.S_ISLNK(os.lstat(place(top, above)).st_mode) for above in parents(path)):
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link that leads to itself is above
            return None
        raise
    return found


def holds_blob(top: Path, path: bytes, oid: str, *, object_format: str) -> bool:
    """Whether a file is to the byte a blob of git's; its id is a hash of a header and the bytes."""
    try:
        with open(place(top, path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.new(object_format, b"blob %d\0" % size)
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == oid


def to_text(path: bytes) -> str:
    """A path as JSON can hold it, whatever bytes it has."""
    return base64.b64encode(path).decode("ascii")


def from_text(text: str) -> bytes:
    """The path that `to_text` wrote."""
    return base64.b64decode(text)


def names_of(path: bytes) -> list[bytes]:
    """By what a user may mean a path: itself, a folder above it, or the empty name of the top."""
    return [b"", *parents(path), path]


def meant_by(names: Collection[bytes]) -> Callable[[bytes], bool]:
    """A test whether a path is one of those named, or below one; without names, all are meant."""
    named = {name.rstrip(b"/") for name in names}
    return lambda path: not named or not named.isdisjoint(names_of(path))


def parents(path: bytes) -> list[bytes]:
    """The folders above a path, outermost first: `a/b/c` has `a` and `a/b`."""
    parts = path.split(b"/")
    return [b"/".join(parts[:length]) for length in range(1, len(parts))]
