"""Claude Code as an agent: one task is one turn of one session, in a process of its own."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from sideshoot.agents.attending import attend
from sideshoot.agents.base import AgentResult, Readiness, Reviewing
from sideshoot.agents.claude.control import PROGRAM, Conversation, without_other_session
from sideshoot.agents.claude.faults import INSTALL, LOG_IN
from sideshoot.agents.claude.home import granted
from sideshoot.agents.claude.readiness import is_logged_in, readiness
from sideshoot.agents.claude.session import command_of
from sideshoot.agents.claude.turn import Turn
from sideshoot.agents.program import PATIENCE_S
from sideshoot.agents.rpc import RpcFailure
from sideshoot.agents.surroundings import enclosed, refuse_offline, refuse_unnamable
from sideshoot.agents.words import one_line
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Grants, Stop, Task
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level


class ClaudeAgent:
    """Drives `claude -p`.

    Claude Code asks before it writes or runs anything, and is answered by a policy: what lies in the
    workspace may be changed. That holds its own tools to it, and not the programs that it starts.
    """

    name = "claude"
    has_modes = False
    sandboxed = False
    reviewing: Reviewing | None = Reviewing(256 * 1024, has_shell=True)

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        """Ask for the version, and whether there is a login."""
        return readiness(environment)

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:  # noqa: ARG002 - as every agent's
        """Its folder with its sessions and its login, but for its settings.

        :raises CannotStart: it could not reach its model.
        """
        refuse_offline(self.name, level)
        return granted()

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let Claude Code do the task in a session of its own, or in the one that is gone on with.

        :raises AgentUnavailable: Claude Code is not installed or not logged in.
        """
        refuse_unnamable(self.name, task.folder, task.top)
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"claude is not installed; run `{INSTALL}`")
        turn = Turn(emit, task)
        error = self._work(turn, task, stop)
        return turn.result(error, None if task.ephemeral else turn.thread_id or task.thread_id)

    def _work(self, turn: Turn, task: Task, stop: Stop) -> str | None:
        argv, environment = enclosed(task, command_of(task))
        with Conversation.launch(
            argv,
            turn,
            folder=task.folder,
            environment=without_other_session(environment),
            stderr=task.stderr,
            patience_s=self._patience_s,
        ) as conversation:
            error = attend(
                conversation,
                turn,
                stop,
                begin=lambda: self._begin(conversation, turn, task, stop),
                quiet=lambda: _quiet(conversation, turn),
                explain=lambda failure: one_line(f"claude: {failure}"),
            )
            return error or _judgement(turn, stop)

    def _begin(self, conversation: Conversation, turn: Turn, task: Task, stop: Stop) -> None:
        turn.enter("starting")
        said = conversation.initialize(stop=stop)
        if not is_logged_in(said.get("account")):
            raise AgentUnavailable(f"claude is not logged in; run `{LOG_IN}`")
        conversation.say(task.prompt)


def _quiet(conversation: Conversation, turn: Turn) -> None:
    """End the turn, if it is not over, and the command that it runs."""
    turn.settled.clear()
    if turn.over or not conversation.asked or conversation.tree.over:
        return
    with contextlib.suppress(RpcFailure):  # closing ends it too
        conversation.interrupt()
        turn.settled.wait(conversation.patience_s)


def _judgement(turn: Turn, stop: Stop) -> str | None:
    if stop.requested and (turn.error or not turn.over):
        return f"stopped: {stop.reason}"
    return turn.error
