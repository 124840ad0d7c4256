"""Codex's items and notices as events."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    Facts = dict[str, Any]

STARTED = "started"
FINISHED = "finished"

PHASES = {
    "agentMessage": "writing",
    "contextCompaction": "compacting",
    "fileChange": "editing",
    "reasoning": "thinking",
}
"""What an item's beginning says about what the agent is at."""


def event_of(item: Facts, top: str, *, finished: bool) -> Event | None:
    """The event of an item that began or ended; `None` if it tells nothing.

    :param top: the workspace's top folder with a slash; paths below it are told relative to it.
    """
    kind = str(item.get("type"))
    if kind in _SILENT:
        return None
    make = _MAKERS.get(kind)
    if make is None:
        return Event(EventKind.RAW, {"payload": item}, kind)
    made = make(item, finished)
    if made is None:
        return None
    if "paths" in made[1]:
        made[1]["paths"] = [path.removeprefix(top) for path in made[1]["paths"]]
    return Event(made[0], made[1], kind)


def usage_of(counts: Facts) -> Facts:
    """Codex's token counts under the names that all agents share."""
    return {name: counts[theirs] for name, theirs in _COUNTS.items() if theirs in counts}


_COUNTS = {
    "input_tokens": "inputTokens",
    "cached_input_tokens": "cachedInputTokens",
    "output_tokens": "outputTokens",
    "reasoning_tokens": "reasoningOutputTokens",
    "total_tokens": "totalTokens",
}

_SILENT = frozenset({"userMessage", "hookPrompt", "contextCompaction", "sleep"})

Made = tuple[EventKind, dict[str, Any]] | None


def _message(item: Facts, finished: bool) -> Made:
    if not finished:
        return None
    final = item.get("phase") == "final_answer"
    return EventKind.MESSAGE, {"text": item.get("text", ""), "final": final}


def _reasoning(item: Facts, finished: bool) -> Made:
    text = "\n\n".join(item.get("summary") or item.get("content") or [])
    return (EventKind.REASONING, {"text": text}) if finished and text else None


def _command(item: Facts, finished: bool) -> Made:
    command = _without_shell(str(item.get("command", "")))
    data: Facts = {"command": command, "status": FINISHED if finished else STARTED}
    if finished:
        data["exit_status"] = item.get("exitCode")
    if item.get("status") == "declined":
        data["declined"] = True
    return EventKind.COMMAND, data


def _without_shell(command: str) -> str:
    """`pytest -q` for `/bin/bash -lc 'pytest -q'`."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    wrapped = len(words) == 3 and words[1] in ("-c", "-lc") and words[0].endswith("sh")
    return words[2] if wrapped else command


def _file_change(item: Facts, finished: bool) -> Made:
    paths = [change.get("path", "") for change in item.get("changes") or []]
    status = item.get("status", "") if finished else STARTED
    return EventKind.FILE_CHANGE, {"paths": paths, "status": status}


def _mcp_tool(item: Facts, finished: bool) -> Made:
    return _tool(f"{item.get('server')}/{item.get('tool')}", item, finished)


def _web_search(item: Facts, finished: bool) -> Made:
    return _tool("web search", item, finished, item.get("query") or "")


def _named_tool(item: Facts, finished: bool) -> Made:
    return _tool(str(item.get("tool") or item.get("kind") or item.get("type")), item, finished)


def _tool(name: str, item: Facts, finished: bool, detail: str = "") -> Made:
    status = (item.get("status") or FINISHED) if finished else STARTED
    error = item.get("error")
    said = error.get("message", "") if isinstance(error, dict) else ""
    return EventKind.TOOL, {"name": name, "status": status, "detail": said or detail}


_MAKERS: dict[str, Callable[[Facts, bool], Made]] = {
    "agentMessage": _message,
    "collabAgentToolCall": _named_tool,
    "commandExecution": _command,
    "dynamicToolCall": _named_tool,
    "fileChange": _file_change,
    "imageGeneration": _named_tool,
    "imageView": _named_tool,
    "mcpToolCall": _mcp_tool,
    "reasoning": _reasoning,
    "subAgentActivity": _named_tool,
    "webSearch": _web_search,
}
