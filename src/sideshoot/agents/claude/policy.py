"""What Claude Code is told when it asks whether it may: work in the workspace, and nothing else.

This is no fence. A shell command is judged by the one path that Claude Code makes out in it, if
any; what a program does that it starts, nobody asks about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.bounds import why_not_there
from sideshoot.agents.looking import only_looks

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


def forbidden_tools(task: Task) -> tuple[str, ...]:
    """The tools that Claude Code is not to have at all, whatever the user's settings allow."""
    return (*NEVER, *WRITERS) if task.read_only else NEVER


def settings(task: Task) -> dict[str, Any]:
    """Settings on top of the user's: where nothing may be changed, what theirs allow is asked, too."""
    return {"permissions": {"ask": ["Bash"]}} if task.read_only else {}


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
        looks = tool == "Bash" and only_looks(str(given.get("command") or ""))
        return None if looks else _READ_ONLY
    if tool in WRITERS:
        return why_not_there(task, given.get(WRITERS[tool]))
    if tool == "Bash" and request.get("blocked_path"):
        return why_not_there(task, request["blocked_path"], git=True)
    return None
