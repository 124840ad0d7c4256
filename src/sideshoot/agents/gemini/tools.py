"""The uses of Gemini CLI's tools as events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sideshoot.agents.use import Use
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from sideshoot.agents.base import Event

Facts = dict[str, Any]

SHELL = "run_shell_command"
WRITERS = frozenset({"replace", "write_file"})

# How it says that it may not, as opposed to that it could not.
_REFUSALS = frozenset({"policy_violation", "tool_not_registered", "execution_denied"})
_OUTSIDE = "Path not in workspace"

# Said only of a command that printed nothing; how one ended that did is not told (0.61.0).
_EXIT_CODE = re.compile(r"Command exited with code: (\d+)")


class GeminiUse(Use):
    """One use of a tool of Gemini CLI's."""

    __slots__ = ()

    telling = ("description", "file_path", "dir_path", "pattern", "query", "prompt", "path")

    @classmethod
    def of(cls, event: Facts) -> GeminiUse:
        """The use that an event `tool_use` begins."""
        given = event.get("parameters")
        return cls(str(event.get("tool_name")), given if isinstance(given, dict) else {})

    def begun(self, top: str) -> Event:
        """:param top: the workspace's top folder with a slash; paths are told relative to it."""
        if self.name == SHELL:
            return self.command_begun()
        if self.name in WRITERS:
            return self.file_change("file_path", top, "started")
        return self.other("started", self.detail)

    def ended(self, top: str, result: Facts) -> Event:
        """:param result: the event `tool_result`."""
        failed = result.get("status") != "success"
        if self.name == SHELL:
            declined = why_refused(result) is not None
            return self.command_ended(_exit_status(result, failed), declined=declined)
        if self.name in WRITERS:
            return self.file_change("file_path", top, "failed" if failed else "completed")
        if failed:
            return self.other("failed", one_line(result.get("output") or ""))
        return self.other("finished", self.detail)

    def in_words(self) -> str:
        """`run_shell_command: rm -rf build`, for a warning."""
        return self.named_with(self.command)


def _exit_status(result: Facts, failed: bool) -> int | None:
    said = str(result.get("output") or "").strip()
    code = _EXIT_CODE.fullmatch(said)
    return int(code[1]) if code else None if failed or said else 0


def why_refused(result: Facts) -> str | None:
    """Why the tool was not let to do it; `None` if it was."""
    error = result.get("error")
    if not isinstance(error, dict):
        return None
    said = one_line(error.get("message") or "")
    return said if error.get("type") in _REFUSALS or said.startswith(_OUTSIDE) else None
