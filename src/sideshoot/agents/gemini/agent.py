"""Gemini CLI as an agent: one task is one run of `gemini` without a terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sideshoot.agents.base import AgentResult, EventKind, Readiness, Reviewing
from sideshoot.agents.gemini.faults import INSTALL, LOG_IN, NOT_LOGGED_IN
from sideshoot.agents.gemini.home import forget_session, granted, session_file
from sideshoot.agents.gemini.readiness import readiness
from sideshoot.agents.gemini.stream import PROGRAM, SETTINGS, Run, command_of
from sideshoot.agents.gemini.turn import Turn
from sideshoot.agents.program import PATIENCE_S
from sideshoot.agents.surroundings import enclosed, refuse_offline, refuse_unnamable
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Grants, Stop, Task
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level

_GONE = "this conversation is no longer there; start afresh with --fresh"


class GeminiAgent:
    """Drives `gemini -o stream-json`.

    Gemini CLI is let to do what it wants. Its own tools keep to the workspace; the commands that it
    runs have all of the user's rights.
    """

    name = "gemini"
    has_modes = False
    sandboxed = False
    reviewing: Reviewing | None = Reviewing(256 * 1024)

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        """Ask for the version; it does not say whether it is logged in."""
        return readiness(environment)

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:  # noqa: ARG002 - as every agent's
        """Its folder with its sessions and its login, but for its settings.

        :raises CannotStart: it could not reach its model.
        """
        refuse_offline(self.name, level)
        return granted()

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let Gemini CLI do the task in a session of its own, or with all that another one said.

        :raises AgentUnavailable: Gemini CLI is not installed or not logged in.
        """
        refuse_unnamable(self.name, task.folder, task.top)
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"gemini is not installed; run `{INSTALL}`")
        before = session_file(task.thread_id) if task.thread_id else None
        if task.thread_id and before is None:
            return AgentResult(succeeded=False, error=_GONE, thread_id=task.thread_id)
        turn = Turn(emit, task)
        error = self._work(turn, task, str(before) if before else None, stop)
        if task.ephemeral and turn.thread_id:
            forget_session(turn.thread_id)
        return turn.result(error, None if task.ephemeral else turn.thread_id or task.thread_id)

    def _work(self, turn: Turn, task: Task, before: str | None, stop: Stop) -> str | None:
        turn.enter("starting")
        if task.effort:
            text = "Gemini CLI can't be told an effort; --effort is left out"
            turn.say(EventKind.WARNING, "effort", text=text)
        argv, environment = enclosed(task, command_of(task, before))
        with Run.launch(
            argv,
            turn,
            folder=task.folder,
            environment=environment | SETTINGS,
            stderr=task.stderr,
            patience_s=self._patience_s,
        ) as run:
            run.feed(task.prompt)
            stop.on_request(turn.settled.set)
            turn.settled.wait()
            return _judgement(run, turn, stop)


def _judgement(run: Run, turn: Turn, stop: Stop) -> str | None:
    """End what is left; why it failed, if it did."""
    if turn.failure is not None or (stop.requested and not turn.over):
        run.stop()
        return f"stopped: {stop.reason}"
    status = run.await_end()
    if turn.thread_id is None and status == NOT_LOGGED_IN:
        said = "; ".join(run.last_words())
        raise AgentUnavailable(
            f"gemini is not logged in; run `{LOG_IN}` and choose a login ({said})"
        )
    if not turn.over:
        return f"{run.obituary()}; it told no result"
    error = turn.why_failed(status)
    if error:
        turn.say(EventKind.ERROR, "result", text=error)
    return error
