"""What somebody is about to decide, written down first, so that a crash can be told from a choice.

A keep changes the user's tree, and then the record says so. Where the process dies in between, the
ref that an undo needs tells whether the tree was changed: it is another one than before.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from sideshoot.errors import KeepConflict, KeepRefused, UsageError
from sideshoot.jobs.folder import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER = "deciding"


@dataclass(frozen=True, slots=True)
class Intent:
    """A change of the user's tree that is under way."""

    kind: Literal["keep", "undo"]
    undo: str | None
    """What the job's undo ref named before."""
    decision: str = ""
    """What a keep makes of the job."""
    kept_paths: tuple[str, ...] = ()


@contextlib.contextmanager
def intending(state_dir: Path, job_id: str, intent: Intent) -> Iterator[None]:
    """Write the intent down, and strike it out when it is done or was refused.

    After anything else it stays, for the next command to find out how far it came.
    """
    path = _path(state_dir, job_id)
    path.parent.mkdir(exist_ok=True)
    write_json(path, asdict(intent))
    try:
        yield
    except (KeepConflict, KeepRefused, UsageError):
        forget(state_dir, job_id)
        raise
    forget(state_dir, job_id)


def forget(state_dir: Path, job_id: str) -> None:
    """Strike an intent out."""
    _path(state_dir, job_id).unlink(missing_ok=True)


def load(state_dir: Path, job_id: str) -> Intent | None:
    """The intent that was left for a job, if there is one that can be read."""
    try:
        facts = json.loads(_path(state_dir, job_id).read_bytes())
        return Intent(**{**facts, "kept_paths": tuple(facts["kept_paths"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def jobs_left(state_dir: Path) -> list[str]:
    """The jobs for which there is an intent, of a process that lives or died."""
    return [name.removesuffix(".json") for name in _names(state_dir / _FOLDER) if name[0] != "."]


def is_change_left(state_dir: Path, job_id: str) -> bool:
    """Whether a change of the user's tree for this job is neither finished nor taken back."""
    return any(name.startswith(f"{job_id}-") for name in _names(state_dir / "keep"))


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _path(state_dir: Path, job_id: str) -> Path:
    return state_dir / _FOLDER / f"{job_id}.json"
