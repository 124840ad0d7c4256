"""Codex as an agent: one task is one turn of one thread, in a server of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from sideshoot.agents.attending import attend
from sideshoot.agents.base import AgentResult, EventKind, Grants, Readiness, Reviewing
from sideshoot.agents.codex.faults import INSTALL, LOG_IN, explain
from sideshoot.agents.codex.fenced import granted
from sideshoot.agents.codex.mounts import mounts_removed
from sideshoot.agents.codex.readiness import is_logged_in, readiness
from sideshoot.agents.codex.reviewer import ReviewTurn
from sideshoot.agents.codex.server import ARGV, PROGRAM, Server
from sideshoot.agents.codex.temporary import temporary_folder
from sideshoot.agents.codex.thread import START_S, beginning_of_turn, open_thread
from sideshoot.agents.codex.turn import Turn
from sideshoot.agents.program import PATIENCE_S
from sideshoot.agents.rpc import RpcFailure
from sideshoot.agents.surroundings import enclosed, refuse_unnamable
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Stop, Task
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level


class CodexAgent:
    """Drives `codex app-server`.

    Codex works in its own sandbox: it may write below the workspace's top, in the few folders that
    git needs for commits on the job's branch, and where temporary files go; the network is as the
    user's configuration has it.
    """

    name = "codex"
    has_modes = False
    sandboxed = True
    reviewing: Reviewing | None = Reviewing(256 * 1024, has_shell=True, has_reviewer=True)

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        """Ask for the version and for the login that the configured provider needs."""
        return readiness(environment)

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:
        """Its home, where it has its conversations and its log, but for its settings.

        :raises CannotStart: it could not reach its model, or not put up its own sandbox.
        """
        return granted(level, mechanism)

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let Codex do the task in a thread of its own, or in the one that is gone on with.

        :raises AgentUnavailable: Codex is not installed or not logged in.
        """
        refuse_unnamable(self.name, task.folder, task.top, *task.writable)
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"codex is not installed; run `{INSTALL}`")
        turn = (ReviewTurn if task.reviewer else Turn)(emit, task.top)
        with temporary_folder(task) as equipped:
            error = self._work(turn, equipped, stop)
        return turn.result(error, None if task.ephemeral else turn.thread_id)

    def _work(self, turn: Turn, task: Task, stop: Stop) -> str | None:
        argv, environment = enclosed(task, ARGV)
        with (
            mounts_removed((task.folder, task.top, *task.writable)),
            Server.start(
                turn,
                argv,
                folder=task.folder,
                environment=environment,
                stderr=task.stderr,
                patience_s=self._patience_s,
            ) as server,
        ):
            error = attend(
                server,
                turn,
                stop,
                begin=lambda: self._begin(server, turn, task, stop),
                quiet=lambda: _quiet(server, turn),
                explain=lambda failure: explain({"message": f"codex: {failure}"}),
            )
            return error or _judgement(turn, stop)

    def _begin(self, server: Server, turn: Turn, task: Task, stop: Stop) -> None:
        turn.enter("starting")
        server.initialize(stop=stop)
        if not is_logged_in(server, {**os.environ, **task.environment}, stop=stop):
            raise AgentUnavailable(f"codex is not logged in; run `{LOG_IN}`")
        opened = open_thread(server, task, stop)
        thread_id = str(opened["thread"]["id"])
        turn.expect(thread_id)
        turn.say(
            EventKind.STARTED,
            "thread/resume" if task.thread_id else "thread/start",
            thread_id=thread_id,
            model=task.model or opened.get("model"),
            effort=task.effort or opened.get("reasoningEffort"),
        )
        method, parameters = beginning_of_turn(task, thread_id, opened.get("sandbox"))
        answer = server.call(method, parameters, timeout_s=START_S, stop=stop)
        turn.turn_id = turn.turn_id or answer.get("turn", {}).get("id")


def _quiet(server: Server, turn: Turn) -> None:
    """End the turn, if it is not over, and the commands that it left, as far as Codex will."""
    with contextlib.suppress(RpcFailure):  # closing the server ends them too
        if turn.thread_id and turn.turn_id and not turn.over:
            turn.settled.clear()
            server.interrupt(turn.thread_id, turn.turn_id)
            turn.settled.wait(server.patience_s)
        if turn.thread_id:
            server.end_terminals(turn.thread_id)


def _judgement(turn: Turn, stop: Stop) -> str | None:
    if turn.status == "completed":
        return None
    if stop.requested:
        return f"stopped: {stop.reason}"
    return explain(turn.error) if turn.error else f"the turn was {turn.status}"
