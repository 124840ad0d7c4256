"""Copy objects from one repository to another, without asking either what it thinks of fetching."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from sideshoot.git.command import Output, finished, rest_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import BinaryIO

    from sideshoot.git.command import Git

_FEW = 100
"""So many objects are as well written one by one; git's own `fetch.unpackLimit` is the same."""


def copy_objects(
    source: Git,
    target: Git,
    tips: Collection[str],
    *,
    known: Collection[str] = (),
    only_own: bool = False,
    scratch: Path,
) -> int:
    """Copy all that is reachable from `tips` and not from `known`; return how many objects it was.

    The target has checked the name of each when this returns.

    :param known: commits that `source` has; where one is missing, git fails.
    :param only_own: leave out what `source` borrows by its alternates.
    :param scratch: an existing folder for a pack that goes again.
    """
    if not tips:
        return 0
    pack = scratch / "objects.pack"
    with pack.open("w+b", buffering=0) as file:
        count = _write_pack(source, tips, known, file, only_own=only_own)
        file.seek(0)
        if count:
            _read_pack(target, file, few=count < _FEW and only_own)
    pack.unlink()
    return count


def _write_pack(
    source: Git, tips: Collection[str], known: Collection[str], file: BinaryIO, *, only_own: bool
) -> int:
    own = ("--local",) if only_own else ()
    argv = ("pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset", *own)
    words = "".join([*(f"{oid}\n" for oid in tips), *(f"^{oid}\n" for oid in known)])
    process = source.start(*argv, stdin=subprocess.PIPE, stdout=file.fileno())
    _, said = process.communicate(words.encode())
    finished(argv, Output(b"", said, process.returncode))
    file.seek(8)  # gitformat-pack: "PACK", the version, and how many objects there are
    return int.from_bytes(file.read(4), "big")


def _read_pack(target: Git, file: BinaryIO, *, few: bool) -> None:
    argv = ("unpack-objects", "-q") if few else ("index-pack", "--stdin")
    rest_of(argv, target.start(*argv, stdin=file.fileno()))
