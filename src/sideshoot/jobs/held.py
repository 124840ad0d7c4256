"""The record of what a job holds on the disk, as it was last counted; so `status` need not count."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sideshoot.jobs.folder import JobFolder, write_json
from sideshoot.jobs.store import HELD

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.jobs.store import Store


@dataclass(frozen=True, slots=True)
class Held:
    """What a job holds, in bytes on the disk."""

    workspace: int = 0
    """In blocks that its workspace alone has."""
    shared: int = 0
    """In blocks of the workspace that other files have, too, such as the originals in your tree."""
    store: int = 0
    """The objects that its refs alone hold, and its log."""
    whole: bool = True
    """Whether all of it was counted; else it holds more."""
    counted_at: float = 0.0

    @property
    def bytes(self) -> int:
        """What would be free if the job were not there."""
        return self.workspace + self.store


def held_by(store: Store, job_id: str) -> Held | None:
    """What was last counted; `None` if that has not been done."""
    try:
        return Held(**json.loads(_place(store, job_id).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def note_held_by(store: Store, job_id: str, held: Held) -> None:
    """Write down what a job holds, and what all jobs hold by that.

    :raises OSError: it can't be written.
    """
    before = held_by(store, job_id) or Held()
    write_json(_place(store, job_id), asdict(held))
    if held.bytes == before.bytes:
        return
    with store.transaction():
        total = int(store.setting(HELD) or 0) + held.bytes - before.bytes
        store.set_setting(HELD, str(max(total, 0)))


def workspace_went(store: Store, job_id: str) -> None:
    """Write down that a job has no workspace any more.

    :raises OSError: it can't be written.
    """
    held = held_by(store, job_id)
    if held is not None:
        note_held_by(store, job_id, replace(held, workspace=0, shared=0))


def _place(store: Store, job_id: str) -> Path:
    return JobFolder(store.state_dir, job_id).size
