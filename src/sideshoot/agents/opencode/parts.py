"""The parts of OpenCode's messages as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    Facts = dict[str, Any]

STARTED = "started"
FINISHED = "finished"

PHASES = {"bash": "running", "edit": "editing", "write": "editing", "apply_patch": "editing"}
"""What a tool's beginning says about what the agent is at."""

_EDITS = frozenset({"apply_patch", "edit", "multiedit", "patch", "write"})

# Its content comes as a plan of its own.
_SILENT = frozenset({"todowrite", "todoread"})

_OVER = frozenset({"completed", "error"})


def is_over(part: Facts) -> bool:
    """Whether the tool has come to its end."""
    return _state(part).get("status") in _OVER


def event_of(part: Facts, top: str) -> Event | None:
    """The event of a tool that runs or has ended; `None` if it tells nothing.

    :param top: the workspace's top folder with a slash; paths below it are told relative to it.
    """
    tool, state = str(part.get("tool")), _state(part)
    if tool in _SILENT or state.get("status") == "pending":
        return None
    if tool == "bash":
        return Event(EventKind.COMMAND, _command(state), tool)
    if tool in _EDITS:
        return Event(EventKind.FILE_CHANGE, _file_change(state, top), tool)
    return Event(EventKind.TOOL, _tool(tool, state), tool)


def plan_of(todos: Iterable[Facts]) -> list[Facts]:
    """The steps of a plan."""
    return [{"text": it.get("content", ""), "status": it.get("status", "")} for it in todos]


def usage_of(infos: Iterable[Facts]) -> Facts:
    """What the messages cost together, under the names that all agents share.

    OpenCode counts what came from the cache apart from the input, and reasoning from the output.
    """
    counts: Facts = dict.fromkeys(_COUNTS, 0) | {"cost_usd": 0.0}
    for info in infos:
        for name, amount in _counts(info.get("tokens") or {}).items():
            counts[name] += amount
        counts["cost_usd"] += info.get("cost") or 0
    if not counts["total_tokens"]:
        return {}
    return counts if counts["cost_usd"] else {name: counts[name] for name in _COUNTS}


_COUNTS = (
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)


def _counts(tokens: Facts) -> dict[str, int]:
    cache = tokens.get("cache") or {}
    cached, written = cache.get("read") or 0, cache.get("write") or 0
    reasoning = tokens.get("reasoning") or 0
    whole_input = (tokens.get("input") or 0) + cached + written
    whole_output = (tokens.get("output") or 0) + reasoning
    values = (whole_input, cached, whole_output, reasoning, whole_input + whole_output)
    return dict(zip(_COUNTS, values, strict=True))


def _state(part: Facts) -> Facts:
    state = part.get("state")
    return state if isinstance(state, dict) else {}


def _command(state: Facts) -> Facts:
    data: Facts = {"command": str((state.get("input") or {}).get("command", ""))}
    if state.get("status") not in _OVER:
        return data | {"status": STARTED}
    exit_status = (state.get("metadata") or {}).get("exit")
    data |= {"status": FINISHED, "exit_status": exit_status}
    if state.get("status") == "error":
        data["detail"] = one_line(state.get("error", ""))
    return data


def _file_change(state: Facts, top: str) -> Facts:
    status = state.get("status") if state.get("status") in _OVER else STARTED
    return {
        "paths": [path.removeprefix(top) for path in _paths(state)],
        "status": "failed" if status == "error" else status,
    }


def _paths(state: Facts) -> list[str]:
    files = (state.get("metadata") or {}).get("files")
    if isinstance(files, list):  # apply_patch: known once it has been read
        named = [it.get("filePath") if isinstance(it, dict) else it for it in files]
        return [str(path) for path in named if path]
    path = (state.get("input") or {}).get("filePath")
    return [str(path)] if path else []


def _tool(tool: str, state: Facts) -> Facts:
    said = state.get("error") if state.get("status") == "error" else state.get("title")
    over = state.get("status") in _OVER
    status = {"error": "failed", "completed": FINISHED}[str(state["status"])] if over else STARTED
    return {"name": tool, "status": status, "detail": one_line(said or "")}
