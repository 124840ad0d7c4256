"""A job's changes as a patch, for reading."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from sideshoot.mcp.records import LONGEST_TEXT
from sideshoot.workspace.compare import write_patch

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import Job

LARGEST = 32 * 1024**2
"""Bytes of a patch that a resource holds."""


def patch_bytes(
    repository: Repository, job: Job, paths: tuple[bytes, ...] = (), most: int = LARGEST
) -> bytes:
    """The patch, or the first `most` bytes of it; nothing where there is no result."""
    if not job.base or not job.result:
        return b""
    with tempfile.TemporaryFile() as file:
        write_patch(repository, job.base, job.result, file, paths)
        file.seek(0)
        return file.read(most)


def beginning_of_patch(
    repository: Repository, job: Job, paths: tuple[bytes, ...]
) -> tuple[str, bool]:
    """As many whole lines of the patch as fit, and whether they are all of it, byte for byte.

    What is no UTF-8 is shown escaped, so that the patch can be read but not applied.
    """
    data = patch_bytes(repository, job, paths, most=LONGEST_TEXT + 1)
    fits = len(data) <= LONGEST_TEXT
    if not fits:
        data = data[: data.rfind(b"\n", 0, LONGEST_TEXT) + 1]
    text = data.decode(errors="backslashreplace")
    return text, fits and text.encode() == data
