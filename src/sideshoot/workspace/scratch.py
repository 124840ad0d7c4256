"""Folders for files that live as long as one step."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Git, Repository


@contextlib.contextmanager
def scratch(repository: Repository) -> Iterator[Path]:
    """A folder of Sideshoot's own inside the common git directory, gone at the end."""
    parent = repository.state_dir / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def with_copy(git: Git, source: Path, target: Path) -> Git:
    """The same git with a scratch copy of an index; with an empty one where there is none yet."""
    copied = git.with_index(target)
    if not copy_index(source, target):
        copied.run("read-tree", "--empty")
    return copied


def copy_index(source: Path, target: Path) -> bool:
    """Copy an index with its times; whether there was one.

    git takes an entry as unchanged if its stat agrees and it is older than the index file. A copy
    with a new time would make a file that was edited in the same second look unchanged.
    """
    try:
        with source.open("rb") as old, target.open("wb") as new:
            shutil.copyfileobj(old, new)
            facts = os.fstat(old.fileno())  # of what was read: a git command may replace the file
    except FileNotFoundError:
        return False
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return True
