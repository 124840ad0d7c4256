"""What a fence is, whatever puts it up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Level(StrEnum):
    """How much an agent is held back."""

    OFF = "off"
    WRITE = "write"
    """It writes where it was told to and nowhere else; it reads everything and has the network."""
    OFFLINE = "offline"
    """The same without any network."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a program inside may write.

    Everything is readable that the user can read, credentials as well, but for what other programs
    listen on and what lies in `/tmp`, `/run` and `/dev`, of which a program gets its own.
    """

    level: Level
    writable: tuple[Path, ...] = ()
    """Folders and files: the workspace, the folders that git writes to, the agent's own state."""
    read_only: tuple[Path, ...] = ()
    """Files directly inside of a writable folder that stay as they are. One that is missing is
    made, empty, so that it can't be made by the program."""
    readable: tuple[Path, ...] = ()
    """What must be seen even if it lies in a place of which the program gets its own: the
    repository, the home folder."""
    temp: Path | None = None
    """The job's folder for temporary files. Without it they take memory or, under Landlock,
    can't be written at all."""
