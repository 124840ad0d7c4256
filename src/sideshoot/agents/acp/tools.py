"""The tool calls of an agent as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    Facts = dict[str, Any]

_OVER = frozenset({"completed", "failed"})
_CHANGES = frozenset({"edit", "delete", "move"})


class ToolCall:
    """One tool call, put together from what is told of it bit by bit."""

    def __init__(self) -> None:
        self._facts: Facts = {}
        self._begun = False
        self._told_end = False

    def update(self, facts: Facts) -> None:
        """Take in what a `tool_call`, its update, or a request for permission tells of it."""
        self._facts |= {key: value for key, value in facts.items() if value is not None}

    def news(self, top: str) -> Iterator[Event]:
        """What is to be told of it by now, each thing once.

        :param top: the workspace's top folder with a slash; paths are told relative to it.
        """
        over = self._facts.get("status") in _OVER
        if not self._begun and (over or self._facts.get("status") == "in_progress"):
            self._begun = True
            yield self._event(top, "started")
        if over and not self._told_end:
            self._told_end = True
            yield self._event(top, "failed" if self._failed else "finished")

    @property
    def kind(self) -> str:
        """`read`, `edit`, `execute` …; `other` where the agent does not say."""
        return str(self._facts.get("kind") or "other")

    @property
    def changes_files(self) -> bool:
        return self.kind in _CHANGES

    @property
    def over(self) -> bool:
        return self._told_end

    @property
    def paths(self) -> list[str]:
        """The files that it is about."""
        places = [*_dicts(self._facts.get("locations")), *_dicts(self._facts.get("content"))]
        found = [it["path"] for it in places if isinstance(it.get("path"), str)]
        return list(dict.fromkeys(found))

    def in_words(self) -> str:
        """What it is about, for a warning."""
        return one_line(self._title or ", ".join(self.paths) or self.kind)

    @property
    def _failed(self) -> bool:
        return self._facts.get("status") == "failed"

    @property
    def _title(self) -> str:
        return str(self._facts.get("title") or "")

    def _event(self, top: str, status: str) -> Event:
        if self.kind == "execute":
            return Event(EventKind.COMMAND, self._as_command(status), self.kind)
        if self.changes_files:
            paths = [path.removeprefix(top) for path in self.paths]
            status = "completed" if status == "finished" else status
            return Event(EventKind.FILE_CHANGE, {"paths": paths, "status": status}, self.kind)
        name = str(self._facts.get("name") or self.kind)
        data = {"name": name, "status": status, "detail": one_line(self._title)}
        return Event(EventKind.TOOL, data, self.kind)

    def _as_command(self, status: str) -> Facts:
        if status == "started":
            return {"command": self._command, "status": "started"}
        return {"command": self._command, "status": "finished", "exit_status": self._exit_status()}

    @property
    def _command(self) -> str:
        given = self._facts.get("rawInput")
        command = given.get("command") if isinstance(given, dict) else None
        if isinstance(command, list):
            return " ".join(map(str, command))
        return str(command or self._title)

    def _exit_status(self) -> int | None:
        """Where the agents that are known tell it; the protocol has no place for it."""
        output = self._facts.get("rawOutput")
        told = output if isinstance(output, dict) else {}
        inner = told.get("metadata")
        meta = self._facts.get("_meta")
        ended = meta.get("terminal_exit") if isinstance(meta, dict) else None
        for facts, key in ((ended, "exit_code"), (inner, "exit"), (told, "exit_code")):
            if isinstance(facts, dict) and isinstance(facts.get(key), int):
                return int(facts[key])
        return None


def _dicts(value: Any) -> list[Facts]:
    return [it for it in value if isinstance(it, dict)] if isinstance(value, list) else []
