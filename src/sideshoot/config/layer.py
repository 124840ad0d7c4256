"""One source of settings: what it sets, and in which line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Origin(StrEnum):
    """Where a value comes from, the weakest first."""

    DEFAULT = "default"
    OWN_FILE = "your own file"
    REPOSITORY_FILE = "sideshoot.toml"
    REPOSITORY = "this repository"
    """What `sideshoot config KEY VALUE` has set."""


class Entry(NamedTuple):
    """A value as the text that its kind reads, and the line that it begins in."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source sets, by key; a table `[agents.NAME]` gives keys `agents.NAME.model`."""

    origin: Origin
    file: Path | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """What is wrong with a file, one line each; what they speak of is left out of the entries."""

    def without(self, keys: frozenset[str]) -> Layer:
        """The same without some keys."""
        kept = {key: entry for key, entry in self.entries.items() if key not in keys}
        return Layer(self.origin, self.file, kept, self.problems)
