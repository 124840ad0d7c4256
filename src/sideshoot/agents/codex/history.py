"""What was said in a thread of Codex's, from its end on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sideshoot.agents.codex.thread import START_S
from sideshoot.agents.conversation import Message, assistant, tool_answer, tool_call, user
from sideshoot.agents.rpc import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.agents.codex.server import Server

    Facts = dict[str, Any]

_PAGE = 50


def items_backwards(server: Server, thread_id: str) -> Iterator[Facts]:
    """The items of a thread, newest first, page by page.

    :raises RpcFailure: Codex does not tell.
    """
    cursor = None
    while True:
        parameters = {"threadId": thread_id, "limit": _PAGE, "sortDirection": "desc"}
        if cursor:
            parameters["cursor"] = cursor
        try:
            page = server.call("thread/items/list", parameters)
        except Refused:
            if cursor:
                raise
            break
        yield from (entry.get("item") or {} for entry in page.get("data") or [])
        cursor = page.get("nextCursor")
        if not cursor:
            return
    # Threads of an older form, and older servers, tell all at once.
    parameters = {"threadId": thread_id, "includeTurns": True}
    thread = server.call("thread/read", parameters, timeout_s=START_S).get("thread") or {}
    for turn in reversed(thread.get("turns") or []):
        yield from reversed(turn.get("items") or [])


def said(item: Facts) -> list[Message]:
    """What an item tells of the conversation."""
    match item.get("type"):
        case "userMessage":
            return [user(_input(part)) for part in item.get("content") or []]
        case "agentMessage":
            return [assistant(str(item.get("text") or ""))]
        case "commandExecution":
            output = item.get("aggregatedOutput")
            return _used("shell", item.get("command"), output)
        case "mcpToolCall":
            name = f"{item.get('server')}.{item.get('tool')}"
            return _used(name, item.get("arguments"), item.get("result") or item.get("error"))
        case "fileChange":
            paths = [str(change.get("path")) for change in item.get("changes") or []]
            return [tool_call("edit", "\n".join(paths))]
    return []


def _used(name: str, given: Any, answer: Any) -> list[Message]:
    text = answer if isinstance(answer, str) else _as_json(answer)
    return [tool_call(name, given), *([tool_answer(text)] if text else [])]


def _as_json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _input(part: Facts) -> str:
    return str(part.get("text") or "") if part.get("type") == "text" else f"[{part.get('type')}]"
