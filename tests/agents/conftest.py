"""A model server, and one agent at work, for the tests of agents."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import AgentResult, Event, EventKind, Stop, Task
from sideshoot.agents.process import MARKER
from support.models import ModelServer
from support.processes import TIME_LIMIT_S, await_true

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.agents.base import Agent


@pytest.fixture
def models() -> Iterator[ModelServer]:
    """A model server; what the model does stands in the prompts (`support.models.play`)."""
    with ModelServer() as server:
        yield server


@dataclass
class Round:
    """One task for an agent in a folder, and what came of it."""

    agent: Agent
    folder: Path
    job_id: str
    events: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    _results: list[AgentResult | BaseException] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def run(self, prompt: str, **facts: Any) -> AgentResult:
        """Let the agent do `prompt`; `facts` are further ones of the task."""
        settings: dict[str, Any] = {"command": (), "folder": self.folder, "top": self.folder}
        settings |= {"environment": {MARKER: self.job_id}, **facts}
        return self.agent.run(Task(prompt=prompt, **settings), self.events.append, self.stop)

    def start(self, prompt: str, **facts: Any) -> None:
        """The same, in a thread."""

        def work() -> None:
            try:
                self._results.append(self.run(prompt, **facts))
            except BaseException as error:  # noqa: BLE001 - raised again by finish()
                self._results.append(error)

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def finish(self) -> AgentResult:
        """The result of what was started."""
        assert self._thread is not None
        self._thread.join(TIME_LIMIT_S)
        assert self._results, f"the agent hangs after {self.events}"
        if isinstance(self._results[0], BaseException):
            raise self._results[0]
        return self._results[0]

    def of(self, kind: EventKind) -> list[dict[str, Any]]:
        """The data of all events of a kind."""
        return [event.data for event in self.events if event.kind is kind]

    def texts(self, kind: EventKind) -> str:
        return "\n".join(data["text"] for data in self.of(kind))

    def await_command(self, words: str) -> None:
        """Wait until the agent has begun to run a command with these words."""
        await_true(
            lambda: any(words in data["command"] for data in self.of(EventKind.COMMAND)),
            f"command {words}",
        )
