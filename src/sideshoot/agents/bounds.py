"""What of the file system an agent's own tools may change: the workspace, but for git's own files.

This is no fence. It is asked about one path, before the agent writes there; what a program does that
the agent starts, nobody asks about.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sideshoot.agents.base import Task

_OUTSIDE = "Only files in {top} may be changed; this would reach {path}."
_GIT = "Git's own files may be changed by git alone."


def why_not_there(task: Task, path: Any, *, git: bool = False) -> str | None:
    """Why nothing may be changed at a path, in words for the model; `None` if it may.

    :param path: as the agent says it, relative to where it works or absolute; what is no path is no
        reason.
    :param git: whether git itself may be at work there.
    """
    if not isinstance(path, str) or not path:
        return None
    place = Path(os.path.realpath(task.folder / path))
    top = Path(os.path.realpath(task.top))
    if place.is_relative_to(top):
        below = place.relative_to(top).parts
        return _GIT if not git and ".git" in below else None
    if any(place.is_relative_to(root) for root in _temporary_folders(top)):
        return None
    return _OUTSIDE.format(top=top, path=place)


def _temporary_folders(top: Path) -> list[Path]:
    """Where temporary files go, unless the workspace lies there, and the user's own tree with it."""
    places = [Path(os.path.realpath(place)) for place in ("/tmp", tempfile.gettempdir())]
    return [place for place in places if not top.is_relative_to(place)]
