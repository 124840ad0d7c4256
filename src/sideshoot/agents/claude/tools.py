"""The uses of Claude Code's tools as events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.claude.policy import WRITERS
from sideshoot.agents.words import one_line

Facts = dict[str, Any]

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (\d+)")
_STEPS = {"pending", "in_progress", "completed"}
# What of a tool's input says what it is about, the best first.
_TELLING = ("description", "query", "url", "pattern", "file_path", "skill", "subject", "prompt")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a tool, from the model's call to its result."""

    name: str
    given: Facts

    @classmethod
    def of(cls, block: Facts) -> Use:
        """The use that a block of type `tool_use` begins."""
        given = block.get("input")
        return cls(str(block.get("name")), given if isinstance(given, dict) else {})

    def begun(self, top: str) -> Event:
        """:param top: the workspace's top folder with a slash; paths are told relative to it."""
        if self.name == "Bash":
            data = {"command": self._command, "status": "started"}
            return Event(EventKind.COMMAND, data, self.name)
        if self.name in WRITERS:
            return self._file_change(top, "started")
        if self.name == "TodoWrite":
            return Event(EventKind.PLAN, {"steps": self._steps()}, self.name)
        return self._tool("started", self._detail())

    def ended(self, top: str, block: Facts, *, refused: bool) -> Event | None:
        """:param block: the one of type `tool_result`."""
        failed = bool(block.get("is_error"))
        if self.name == "Bash":
            return self._command_ended(text_of(block.get("content")), failed, refused=refused)
        if self.name in WRITERS:
            return self._file_change(top, "failed" if failed else "completed")
        if self.name == "TodoWrite":
            return None
        detail = one_line(text_of(block.get("content"))) if failed else self._detail()
        return self._tool("failed" if failed else "finished", detail)

    @property
    def _command(self) -> str:
        return str(self.given.get("command", ""))

    def _command_ended(self, said: str, failed: bool, *, refused: bool) -> Event:
        found = _EXIT_CODE.match(said) if failed else None
        status: int | None = int(found[1]) if found else None
        if not failed and not self.given.get("run_in_background"):
            status = 0
        data = {"command": self._command, "status": "finished", "exit_status": status}
        if refused:
            data["declined"] = True
        return Event(EventKind.COMMAND, data, self.name)

    def _file_change(self, top: str, status: str) -> Event:
        path = str(self.given.get(WRITERS[self.name], ""))
        data = {"paths": [path.removeprefix(top)], "status": status}
        return Event(EventKind.FILE_CHANGE, data, self.name)

    def _steps(self) -> list[Facts]:
        todos = self.given.get("todos")
        found = (
            [todo for todo in todos if isinstance(todo, dict)] if isinstance(todos, list) else []
        )
        return [
            {
                "text": str(todo.get("content", "")),
                "status": todo["status"] if todo.get("status") in _STEPS else "pending",
            }
            for todo in found
        ]

    def _tool(self, status: str, detail: str) -> Event:
        return Event(
            EventKind.TOOL, {"name": self.name, "status": status, "detail": detail}, self.name
        )

    def _detail(self) -> str:
        told = [self.given[key] for key in _TELLING if isinstance(self.given.get(key), str)]
        return one_line(told[0]) if told else ""

    def in_words(self) -> str:
        """`Bash: rm -rf build` or `Write: notes.txt`, for a warning."""
        what = self._command if self.name == "Bash" else self.given.get(WRITERS.get(self.name, ""))
        words = one_line(what or self._detail())
        return f"{self.name}: {words}" if words else self.name


def text_of(content: Any) -> str:
    """The text of a message's or a result's content, which may be text or blocks."""
    if isinstance(content, list):
        return "\n".join(str(block.get("text", "")) for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""
