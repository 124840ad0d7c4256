"""A folder for temporary files of its own, for tasks whose workspace lies among everybody's.

Codex's sandbox leaves `/tmp` and `$TMPDIR` writable. A repository that lies there would be so as a
whole, the user's tree with it: then those are shut off, and Codex gets a folder that is nobody
else's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.agents.base import Task

SHARED_TEMPORARY = Path("/tmp")


@contextlib.contextmanager
def temporary_folder(task: Task) -> Iterator[Task]:
    """The task, with a temporary folder of its own while this lasts if it needs one."""
    # Inside a fence everybody's are not seen.
    if task.fence or task.read_only or not _lies_among_temporary_files(task.top):
        yield task
        return
    with tempfile.TemporaryDirectory(prefix="sideshoot-", ignore_cleanup_errors=True) as name:
        yield dataclasses.replace(
            task,
            writable=(*task.writable, Path(name)),
            environment={**task.environment, "TMPDIR": name},
        )


def _lies_among_temporary_files(top: Path) -> bool:
    places = [SHARED_TEMPORARY, *([Path(os.environ["TMPDIR"])] if "TMPDIR" in os.environ else [])]
    return any(top.is_relative_to(place) for place in places)
