"""The uses of Gemini CLI's tools as events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.words import one_line

Facts = dict[str, Any]

SHELL = "run_shell_command"
WRITERS = frozenset({"replace", "write_file"})

# How it says that it may not, as opposed to that it could not.
_REFUSALS = frozenset({"policy_violation", "tool_not_registered", "execution_denied"})
_OUTSIDE = "Path not in workspace"

# Said only of a command that printed nothing; how one ended that did is not told (0.61.0).
_EXIT_CODE = re.compile(r"Command exited with code: (\d+)")
_TELLING = ("description", "file_path", "dir_path", "pattern", "query", "prompt", "path")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a tool, from the model's call to its result."""

    name: str
    given: Facts

    @classmethod
    def of(cls, event: Facts) -> Use:
        """The use that an event `tool_use` begins."""
        given = event.get("parameters")
        return cls(str(event.get("tool_name")), given if isinstance(given, dict) else {})

    def begun(self, top: str) -> Event:
        """:param top: the workspace's top folder with a slash; paths are told relative to it."""
        if self.name == SHELL:
            data = {"command": self._command, "status": "started"}
            return Event(EventKind.COMMAND, data, self.name)
        if self.name in WRITERS:
            return self._file_change(top, "started")
        return self._tool("started", self._detail())

    def ended(self, top: str, result: Facts) -> Event:
        """:param result: the event `tool_result`."""
        failed = result.get("status") != "success"
        if self.name == SHELL:
            return self._command_ended(result, failed)
        if self.name in WRITERS:
            return self._file_change(top, "failed" if failed else "completed")
        detail = one_line(result.get("output") or "") if failed else self._detail()
        return self._tool("failed" if failed else "finished", detail)

    @property
    def _command(self) -> str:
        return str(self.given.get("command", ""))

    def _command_ended(self, result: Facts, failed: bool) -> Event:
        said = str(result.get("output") or "").strip()
        code = _EXIT_CODE.fullmatch(said)
        status = int(code[1]) if code else None if failed or said else 0
        data = {"command": self._command, "status": "finished", "exit_status": status}
        if why_refused(result):
            data["declined"] = True
        return Event(EventKind.COMMAND, data, self.name)

    def _file_change(self, top: str, status: str) -> Event:
        path = str(self.given.get("file_path", ""))
        data = {"paths": [path.removeprefix(top)], "status": status}
        return Event(EventKind.FILE_CHANGE, data, self.name)

    def _tool(self, status: str, detail: str) -> Event:
        return Event(
            EventKind.TOOL, {"name": self.name, "status": status, "detail": detail}, self.name
        )

    def _detail(self) -> str:
        told = [self.given[key] for key in _TELLING if isinstance(self.given.get(key), str)]
        return one_line(told[0]) if told else ""

    def in_words(self) -> str:
        """`run_shell_command: rm -rf build`, for a warning."""
        words = one_line(self._command or self._detail())
        return f"{self.name}: {words}" if words else self.name


def why_refused(result: Facts) -> str | None:
    """Why the tool was not let to do it; `None` if it was."""
    error = result.get("error")
    if not isinstance(error, dict):
        return None
    said = one_line(error.get("message") or "")
    return said if error.get("type") in _REFUSALS or said.startswith(_OUTSIDE) else None
