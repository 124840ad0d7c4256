"""Codex's own import of what other agents have: here, of one session of Claude Code's."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.agents.rpc import Deaf, Refused
from sideshoot.agents.words import is_unicode

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.codex.server import Server

    Facts = dict[str, Any]

IMPORT_S = 120.0


class Import(NamedTuple):
    """A thread that was made of a session."""

    thread_id: str
    before: bool = False
    """Whether that was so already, and nothing had to be added."""


class Ears(Deaf):
    """Hears when an import is done."""

    def __init__(self) -> None:
        self.done: SimpleQueue[Facts | None] = SimpleQueue()

    def on_notice(self, method: str, params: Any) -> None:
        if method == "externalAgentConfig/import/completed" and isinstance(params, dict):
            self.done.put(params)

    def on_end(self, failure: BaseException | None) -> None:  # noqa: ARG002 - as every handler's
        self.done.put(None)


def imported(server: Server, ears: Ears, file: Path, folder: Path) -> Import | None:
    """The thread that Codex makes of a transcript; `None` if it makes none.

    It takes those below `~/.claude/projects` that are UTF-8 throughout (0.169). One that it took
    before it brings up to date in the same thread, or says nothing of where nothing was added.
    Versions before the import know no such call.

    :raises RpcFailure: Codex is gone.
    """
    path = file.resolve()
    if not is_unicode(str(path)):
        return None
    details: Facts = {"sessions": [{"path": str(path), "cwd": str(folder), "title": None}]}
    kinds = ("plugins", "mcpServers", "hooks", "subagents", "commands")
    item = {
        "itemType": "SESSIONS",
        "description": "a session of Claude Code's",
        "cwd": None,
        "details": details | {kind: [] for kind in kinds},
    }
    try:
        server.call("externalAgentConfig/import", {"migrationItems": [item]}, timeout_s=IMPORT_S)
        done = ears.done.get(timeout=IMPORT_S)
    except (Refused, Empty):
        return None
    thread_id = _target(_outcomes(done, "successes"), path)
    if thread_id is not None:
        return Import(thread_id)
    return None if _outcomes(done, "failures") else _before(server, path)


def _before(server: Server, path: Path) -> Import | None:
    try:
        answer = server.call("externalAgentConfig/import/readHistories", {})
        histories = sorted(answer.get("data") or [], key=lambda each: each["completedAtMs"])
        successes = [it for each in histories for it in each["successes"]]
        thread_id = _target(successes, path)
        if thread_id is None:
            return None
        server.call("thread/read", {"threadId": thread_id, "includeTurns": False})
    except Refused:
        return None
    return Import(thread_id, before=True)


def _outcomes(done: Facts | None, kind: str) -> list[Facts]:
    return [it for each in (done or {}).get("itemTypeResults") or [] for it in each.get(kind) or []]


def _target(successes: list[Facts], path: Path) -> str | None:
    """The newest thread that was made of a transcript."""
    found = [it.get("target") for it in successes if it.get("source") == str(path)]
    return found[-1] if found and isinstance(found[-1], str) else None
