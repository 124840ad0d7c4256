"""Whether there is room for one more workspace, before anything of it is made."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.text import show_path
from sideshoot.workspace.cloning import Cloner
from sideshoot.workspace.copying import STAT
from sideshoot.workspace.included import index_entries
from sideshoot.workspace.sparse import covered_by

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

PLENTY = 32 << 30
"""With so many bytes free nobody counts what a workspace takes."""

SPARE = 2 << 20
"""What a workspace takes beyond the files: for its index, the log, and the records of the job."""


def refuse_without_room(
    repository: Repository, workspace: Workspace, sparse: Collection[bytes] = ()
) -> None:
    """Count what the user's tracked files take, if there is not plenty of room.

    Copies that share their blocks with the originals take none.

    :param sparse: the folders that the workspace shall have; all by default.
    :raises CannotStart: they would not fit.
    """
    folder = _existing(workspace.path.parent)
    free = shutil.disk_usage(folder).free
    if free >= PLENTY:
        return
    needed = SPARE if _clones(repository, folder) else SPARE + tracked_bytes(repository, sparse)
    if needed > free:
        raise CannotStart(
            f"a workspace takes about {needed / 1e6:,.0f} MB, and {show_path(folder)} has "
            f"{free / 1e6:,.0f} MB free; nothing was changed. `sideshoot gc --dry-run` shows what "
            "jobs hold, `sideshoot discard` drops one"
        )


def tracked_bytes(repository: Repository, sparse: Collection[bytes] = ()) -> int:
    """How much the user's tracked files take, as their index has it; 0 where that can't be told.

    :param sparse: only what a workspace with these folders has.
    """
    try:
        data = repository.index.read_bytes()
    except FileNotFoundError:
        return 0
    if data[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
        return 0  # Of version 4: to read it takes longer than it is worth.
    id_size = len(repository.null_id) // 2
    entries = index_entries(data, id_size)
    if sparse:
        is_covered = covered_by(sparse)
        entries = (entry for entry in entries if is_covered(entry[0]))
    return sum(STAT.unpack_from(data, offset)[9] for _, offset, _ in entries)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _clones(repository: Repository, folder: Path) -> bool:
    """Whether a copy of the user's files would share blocks with them, tried with one of them."""
    if os.stat(repository.top).st_dev != os.stat(folder).st_dev:
        return False
    try:
        with repository.index.open("rb") as file, tempfile.TemporaryDirectory(dir=folder) as place:
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                clone = Cloner()(file.fileno(), handle, b"clone")
            finally:
                os.close(handle)
            if clone is not None:
                os.close(clone)
            return clone is not None
    except OSError:
        return False
