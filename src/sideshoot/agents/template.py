"""An agent of the user's own that is a command: it takes the task once, and its output is its answer."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.agents.base import Event, EventKind, Readiness, Reviewing
from sideshoot.agents.command import CommandAgent
from sideshoot.agents.state import make_ready, state_of
from sideshoot.errors import AgentUnavailable
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import AgentResult, Grants, Stop, Task
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level
    from sideshoot.model import Driver

PROMPT = "{prompt}"

_MAX_ARG_STRLEN = 131_072
"""For one argument with its NUL byte, as of execve(2)."""


class TemplateAgent:
    """Runs the program of a template such as `tool --message {prompt}`, without a shell.

    The task takes the place of `{prompt}`, as it is, inside of its one argument; without one it is
    the program's standard input. `{model}` and `{effort}` stand for what was asked for.
    """

    has_modes = False
    sandboxed = False
    reviewing: Reviewing | None = None

    def __init__(self, name: str, driver: Driver) -> None:
        """:param name: what the user calls it."""
        self.name = name
        self._driver = driver

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:  # noqa: ARG002 - as every agent's
        """Whether its program is there; it can't be asked anything."""
        program = self._driver.argv[0]
        if shutil.which(program) is None:
            return Readiness(installed=False, detail=f"{show_path(program)} is not on PATH")
        return Readiness(True, None, None, "a command; it can't be asked for its version or login")

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:
        """The folders that are named for it, and those that have its program's name.

        :raises CannotStart: it is known not to work inside such a fence.
        """
        return state_of(self._driver, level, mechanism)

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Run the program with the task.

        :raises AgentUnavailable: there is no such program, or it needs what was not asked for.
        """
        given = any(PROMPT in word for word in self._driver.argv)
        argv = self._filled(task)
        if given:
            _refuse_what_no_argument_holds(self.name, argv)
        if task.fence is not None:
            make_ready(self._driver)
        _warn(self.name, task, self._driver, emit)
        equipped = replace(
            task,
            prompt="" if given else task.prompt,
            command=argv,
            environment={**self._driver.environment, **task.environment},
        )
        return CommandAgent().run(equipped, emit, stop)

    def _filled(self, task: Task) -> tuple[str, ...]:
        values = {"model": task.model, "effort": task.effort, "prompt": task.prompt}
        return tuple(self._fill(word, values) for word in self._driver.argv)

    def _fill(self, word: str, values: dict[str, str | None]) -> str:
        """One word of the template; what was put in is not looked at again."""
        parts: list[str] = []
        while True:
            found = [(word.find(f"{{{name}}}"), name) for name in values if f"{{{name}}}" in word]
            if not found:
                return "".join([*parts, word])
            at, name = min(found)
            value = values[name]
            if value is None:
                raise AgentUnavailable(f"{self.name} needs a {name}; give --{name}")
            parts += [word[:at], value]
            word = word[at + len(name) + 2 :]


def _refuse_what_no_argument_holds(name: str, argv: tuple[str, ...]) -> None:
    """:raises AgentUnavailable: with the task in its place a word is none that can be passed on."""
    if any("\0" in word for word in argv):
        raise AgentUnavailable(f"{name} can't be given a task that has a NUL byte in it")
    longest = max(len(os.fsencode(word)) for word in argv)
    if sys.platform == "linux" and longest >= _MAX_ARG_STRLEN:
        raise AgentUnavailable(
            f"the task is too long for an argument of {name}'s ({longest} bytes); without {PROMPT} in its "
            "command it comes by standard input"
        )


def _warn(name: str, task: Task, driver: Driver, emit: Callable[[Event], None]) -> None:
    """Say what the program is not told."""
    for what, value in (("model", task.model), ("effort", task.effort)):
        if value and not any(f"{{{what}}}" in word for word in driver.argv):
            text = f"{name} takes no {what}; --{what} is left out"
            emit(Event(EventKind.WARNING, {"text": text}, what))
