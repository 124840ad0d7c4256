"""The folder of a job: everything about it that is not in the store."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "jobs"


class JobFolder(NamedTuple):
    """Where each file of a job lies; making the object makes nothing."""

    state_dir: Path
    id: str

    @property
    def top(self) -> Path:
        return self.state_dir / NAME / self.id

    @property
    def record(self) -> Path:
        """The job as it was last recorded, to rebuild a damaged store from."""
        return self.top / "job.json"

    @property
    def events(self) -> Path:
        """The event log."""
        return self.top / "events.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the job's worker for as long as it lives."""
        return self.top / "lock"

    @property
    def decision_lock(self) -> Path:
        """Held by whoever decides on the job, or recovers it."""
        return self.top / "decision.lock"

    @property
    def control(self) -> Path:
        """A pipe on which the worker takes requests."""
        return self.top / "control"

    @property
    def prompt(self) -> Path:
        """The task in the user's words."""
        return self.top / "prompt.txt"

    @property
    def brief(self) -> Path:
        """What the agent is told where that is more than the user's words."""
        return self.top / "brief.json"

    @property
    def stderr(self) -> Path:
        """What the agent wrote to standard error, where that is no part of its answer."""
        return self.top / "stderr.log"

    @property
    def worker_log(self) -> Path:
        """What a detached worker printed; empty unless something is wrong with Sideshoot."""
        return self.top / "worker.log"

    @property
    def temp(self) -> Path:
        """A fenced agent's temporary files, until its work is saved."""
        return self.top / "tmp"

    @property
    def guard(self) -> Path:
        """What the user's refs and configuration were before the agent ran."""
        return self.top / "guard.json"

    @property
    def size(self) -> Path:
        """What the job held on the disk when that was last counted."""
        return self.top / "size.json"

    @property
    def quarantine(self) -> Path:
        """Holds the work of a job whose workspace is a clone, until it is kept."""
        return self.top / "quarantine"

    def make(self) -> None:
        """Make the folder, if it is not there."""
        self.top.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Delete the folder and all that is in it."""
        import shutil  # noqa: PLC0415 - it loads four ways to compress, and looking must be quick

        shutil.rmtree(self.top, ignore_errors=True)


def job_folders(state_dir: Path) -> Iterator[JobFolder]:
    """The folders of all jobs that have one, with or without a record in the store."""
    with contextlib.suppress(FileNotFoundError), os.scandir(state_dir / NAME) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield JobFolder(state_dir, entry.name)


def write_json(path: Path, value: Any) -> None:
    """Replace a file by a value as JSON; a reader sees the old file or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps(value) + "\n", encoding="ascii")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
