"""An agent of the user's own that speaks the Agent Client Protocol."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.acp.connection import Connection
from sideshoot.agents.acp.session import Session
from sideshoot.agents.acp.turn import Turn
from sideshoot.agents.attending import attend
from sideshoot.agents.base import AgentResult, EventKind, Readiness, Reviewing, Task
from sideshoot.agents.program import PATIENCE_S
from sideshoot.agents.rpc import RpcFailure
from sideshoot.agents.state import make_ready, state_of
from sideshoot.agents.surroundings import enclosed, refuse_offline, refuse_unnamable
from sideshoot.agents.words import as_unicode, one_line
from sideshoot.errors import AgentUnavailable
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Grants, Stop
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level
    from sideshoot.model import Driver


class AcpAgent:
    """Drives any program that speaks the protocol.

    What it asks whether it may is answered by kind: its own tools change what lies in the workspace.
    Whether it asks, and what the programs do that it starts, is for the agent; the fence holds both.
    """

    has_modes = True
    sandboxed = False
    reviewing: Reviewing | None = Reviewing(128 * 1024)

    def __init__(self, name: str, driver: Driver, patience_s: float = PATIENCE_S) -> None:
        """:param name: what the user calls it."""
        self.name = name
        self._driver = driver
        self._patience_s = patience_s

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:  # noqa: ARG002 - as every agent's
        """Start it, and ask what it is; whether it is logged in shows with its first task."""
        program = self._driver.argv[0]
        if shutil.which(program) is None:
            return Readiness(installed=False, detail=f"{show_path(program)} is not on PATH")
        task = Task("", (), Path.home(), Path.home())
        try:
            with self._launched(Turn(lambda _: None, self.name, task), task) as connection:
                said = connection.initialize()
        except (AgentUnavailable, RpcFailure) as error:
            detail = one_line(f"{self.name} does not answer: {error}")
            return Readiness(installed=True, answers=False, detail=detail)
        info = said.get("agentInfo")
        version = str(info["version"]) if isinstance(info, dict) and "version" in info else None
        return Readiness(True, version, None, "did not say whether it is logged in")

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:
        """The folders that are named for it, and those that have its program's name.

        :raises CannotStart: it could not reach its model, or is known not to work inside such a fence.
        """
        refuse_offline(self.name, level)
        return state_of(self._driver, level, mechanism)

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let it do the task in a session of its own, or in the one that is gone on with.

        :raises AgentUnavailable: it is not installed or not logged in, or has no such model.
        """
        refuse_unnamable(self.name, task.folder, task.top)
        if shutil.which(self._driver.argv[0]) is None:
            program = show_path(self._driver.argv[0])
            raise AgentUnavailable(f"{program}, which is to start {self.name}, is not on PATH")
        turn = Turn(emit, self.name, task)
        with self._launched(turn, task) as connection:
            error = attend(
                connection,
                turn,
                stop,
                begin=lambda: _begin(connection, turn, task, stop),
                quiet=lambda: _quiet(connection, turn),
                explain=lambda failure: one_line(f"{self.name}: {failure}"),
            )
            error = error or _judgement(turn, stop)
        return turn.result(error, turn.thread_id)

    def _launched(self, turn: Turn, task: Task) -> Connection:
        equipped = replace(task, environment={**self._driver.environment, **task.environment})
        if task.fence is not None:
            make_ready(self._driver)
        argv, environment = enclosed(equipped, self._driver.argv)
        connection = Connection.launch(
            argv,
            turn,
            folder=task.folder,
            environment=environment,
            stderr=task.stderr,
            patience_s=self._patience_s,
        )
        connection.name = self.name
        return connection


def _begin(connection: Connection, turn: Turn, task: Task, stop: Stop) -> None:
    turn.enter("starting")
    session = Session(connection, task, stop, connection.initialize(stop))
    session.open(turn)
    turn.say(
        EventKind.STARTED,
        "session",
        thread_id=session.id,
        model=task.model,
        effort=task.effort,
    )
    session.set_up(turn)
    turn.begin(session.id)
    connection.prompt(session.id, as_unicode(task.prompt), turn.take_answer)


def _quiet(connection: Connection, turn: Turn) -> None:
    """Cancel the turn, if it is not over, and the command that it runs."""
    if turn.over or not turn.begun or turn.thread_id is None or connection.tree.over:
        return
    connection.cancel(turn.thread_id)
    turn.answered.wait(connection.patience_s)


def _judgement(turn: Turn, stop: Stop) -> str | None:
    if stop.requested and (turn.error or not turn.over):
        return f"stopped: {stop.reason}"
    return turn.error
