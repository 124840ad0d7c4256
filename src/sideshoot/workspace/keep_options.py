"""How a result is to be brought into the user's tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Conflicts = Literal["stop", "markers", "ours", "theirs"]


@dataclass(frozen=True, slots=True)
class KeepOptions:
    """What to bring of it, and how."""

    paths: tuple[bytes, ...] = ()
    """Only what changed at these paths or below them."""
    stage: bool = True
    """Whether the index gets the change, too."""
    conflicts: Conflicts = "stop"
    dry_run: bool = False
    commit_message: str | None = None
    """Commit what is kept, and nothing else, to the branch that is checked out."""
    extras: Callable[[Path], Mapping[bytes, bytes]] | None = None
    """Makes ready, in a folder that it is given, what is to be brought beside git's own: from the
    path in the tree to the place where it lies ready."""
