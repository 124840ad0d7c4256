"""What an agent is told where that is more than the user's words: a review with all of its material.

It lies in the job's folder and not in the record, which every look at a list of jobs reads whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.jobs.folder import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Brief:
    """The parts of a task (`sideshoot.agents.base.Task`) that only who asked for it can know."""

    prompt: str
    output_schema: Mapping[str, Any] | None = None
    reviewer: Mapping[str, Any] | None = None

    def save(self, path: Path) -> None:
        """:raises OSError: it can't be written."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Brief | None:
        """What `save` wrote; `None` where nothing was."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
