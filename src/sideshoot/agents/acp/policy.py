"""What an agent is told when it asks whether it may: by the kind of what it wants to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.bounds import why_not_there

if TYPE_CHECKING:
    from sideshoot.agents.acp.tools import ToolCall
    from sideshoot.agents.base import Task

    Facts = dict[str, Any]

_LOOKS = frozenset({"read", "search", "fetch", "think"})
SWITCH_MODE = "switch_mode"
"""The kind of a wish to work in another mode, as at the end of a plan."""
_READ_ONLY = "This task is to look only: nothing may be changed."
_MODE = "The user has chosen this mode for the whole task."


def refusal(task: Task, call: ToolCall) -> str | None:
    """Why a tool call is refused; `None` if it is granted."""
    if call.kind in _LOOKS:
        return None
    if task.read_only:
        return _READ_ONLY
    if call.kind == SWITCH_MODE and task.mode is not None:
        return _MODE
    if not call.changes_files:
        return None
    reasons = (why_not_there(task, path) for path in call.paths)
    return next((reason for reason in reasons if reason), None)


def outcome(options: Any, *, granted: bool) -> Facts:
    """The answer to a request that has these options.

    Agents name them as they like, so they are chosen by their kind. What is granted once and for
    all may change the agent's mode (Gemini CLI 0.61), so that comes last.
    """
    wanted = ("allow_once", "allow_always") if granted else ("reject_once", "reject_always")
    there = [it for it in options if isinstance(it, dict)] if isinstance(options, list) else []
    for kind in wanted:
        for option in there:
            if option.get("kind") == kind:
                return {"outcome": {"outcome": "selected", "optionId": option.get("optionId")}}
    return {"outcome": {"outcome": "cancelled"}}
