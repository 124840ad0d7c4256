"""One use of a tool: what the agents that tell of it by name and input have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.words import one_line


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a tool, from the model's call to its result."""

    name: str
    given: dict[str, Any]

    telling: ClassVar[tuple[str, ...]]
    """What of a tool's input says what it is about, the best first."""

    @property
    def command(self) -> str:
        """The command line, if that is what the tool runs."""
        return str(self.given.get("command", ""))

    @property
    def detail(self) -> str:
        """What it is about, on one line."""
        told = [self.given[key] for key in self.telling if isinstance(self.given.get(key), str)]
        return one_line(told[0]) if told else ""

    def command_begun(self) -> Event:
        data = {"command": self.command, "status": "started"}
        return Event(EventKind.COMMAND, data, self.name)

    def command_ended(self, exit_status: int | None, *, declined: bool) -> Event:
        """:param exit_status: `None` if it was not told."""
        data = {"command": self.command, "status": "finished", "exit_status": exit_status}
        if declined:
            data["declined"] = True
        return Event(EventKind.COMMAND, data, self.name)

    def file_change(self, key: str, top: str, status: str) -> Event:
        """:param key: the path's name in the tool's input.
        :param top: the workspace's top folder with a slash; paths are told relative to it.
        """
        path = str(self.given.get(key, "")).removeprefix(top)
        return Event(EventKind.FILE_CHANGE, {"paths": [path], "status": status}, self.name)

    def other(self, status: str, detail: str) -> Event:
        """The event of a tool that neither runs a command nor writes."""
        data = {"name": self.name, "status": status, "detail": detail}
        return Event(EventKind.TOOL, data, self.name)

    def named_with(self, what: object) -> str:
        """The tool's name and what it was to do, for a warning; without `what`, its detail."""
        words = one_line(what or self.detail)
        return f"{self.name}: {words}" if words else self.name
