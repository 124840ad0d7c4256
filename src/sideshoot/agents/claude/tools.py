"""The uses of Claude Code's tools as events."""

from __future__ import annotations

import re
from typing import Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.claude.policy import WRITERS
from sideshoot.agents.use import Use
from sideshoot.agents.words import one_line

Facts = dict[str, Any]

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (\d+)")
_STEPS = {"pending", "in_progress", "completed"}


class ClaudeUse(Use):
    """One use of a tool of Claude Code's."""

    __slots__ = ()

    telling = (
        "description",
        "query",
        "url",
        "pattern",
        "file_path",
        "skill",
        "subject",
        "prompt",
    )

    @classmethod
    def of(cls, block: Facts) -> ClaudeUse:
        """The use that a block of type `tool_use` begins."""
        given = block.get("input")
        return cls(str(block.get("name")), given if isinstance(given, dict) else {})

    def begun(self, top: str) -> Event:
        """:param top: the workspace's top folder with a slash; paths are told relative to it."""
        if self.name == "Bash":
            return self.command_begun()
        if self.name in WRITERS:
            return self.file_change(WRITERS[self.name], top, "started")
        if self.name == "TodoWrite":
            return Event(EventKind.PLAN, {"steps": self._steps()}, self.name)
        return self.other("started", self.detail)

    def ended(self, top: str, block: Facts, *, refused: bool) -> Event | None:
        """:param block: the one of type `tool_result`."""
        failed = bool(block.get("is_error"))
        said = text_of(block.get("content"))
        if self.name == "Bash":
            return self.command_ended(self._exit_status(said, failed), declined=refused)
        if self.name in WRITERS:
            status = "failed" if failed else "completed"
            return self.file_change(WRITERS[self.name], top, status)
        if self.name == "TodoWrite":
            return None
        if failed:
            return self.other("failed", one_line(said))
        return self.other("finished", self.detail)

    def in_words(self) -> str:
        """`Bash: rm -rf build` or `Write: notes.txt`, for a warning."""
        what = self.command if self.name == "Bash" else self.given.get(WRITERS.get(self.name, ""))
        return self.named_with(what)

    def _exit_status(self, said: str, failed: bool) -> int | None:
        if failed:
            found = _EXIT_CODE.match(said)
            return int(found[1]) if found else None
        return None if self.given.get("run_in_background") else 0

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


def text_of(content: Any) -> str:
    """The text of a message's or a result's content, which may be text or blocks."""
    if isinstance(content, list):
        return "\n".join(str(block.get("text", "")) for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""
