"""What Claude Code is told when it asks whether it may: work in the workspace, and nothing else.

This is no fence. A shell command is judged by the one path that Claude Code makes out in it, if
any; what a program does that it starts, nobody asks about.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sideshoot.agents.base import Task

# They wait for somebody or for a later hour, or move the session out of the workspace.
NEVER = ("CronCreate", "EnterWorktree", "ExitWorktree", "ScheduleWakeup")

WRITERS = {
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
    "Write": "file_path",
}
"""The tools that write files, and what they call the path."""

_READERS = frozenset(
    {"Agent", "Glob", "Grep", "LS", "Read", "Skill", "Task", "WebFetch", "WebSearch"}
)

_NOBODY = "Nobody is there to answer. Decide by yourself, and say in the end what you assumed."
_READ_ONLY = (
    "This task is to look only: nothing may be changed, and only commands that read may run."
)
_OUTSIDE = (
    "Only files in {top} may be changed; this would reach {path}. The Read tool may read others."
)
_GIT = "Git's own files may be changed by git alone."


def forbidden_tools(task: Task) -> tuple[str, ...]:
    """The tools that Claude Code is not to have at all, whatever the user's settings allow."""
    return (*NEVER, *WRITERS) if task.read_only else NEVER


def refusal(task: Task, request: dict[str, Any]) -> str | None:
    """Why a `can_use_tool` request is refused, in words for the model; `None` if it is granted."""
    tool = str(request.get("tool_name"))
    given = request.get("input")
    given = given if isinstance(given, dict) else {}
    if tool == "AskUserQuestion":
        return _NOBODY
    if tool in _READERS:
        return None
    if task.read_only:
        return _READ_ONLY
    if tool in WRITERS:
        return _why_not_there(task, given.get(WRITERS[tool]))
    if tool == "Bash" and request.get("blocked_path"):
        return _why_not_there(task, request["blocked_path"], git=True)
    return None


def _why_not_there(task: Task, path: Any, *, git: bool = False) -> str | None:
    """:param git: whether git itself may be at work there."""
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
