"""OpenCode as an agent: one task is one turn of one session, in a server of its own."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from sideshoot.agents.base import AgentResult, EventKind, Readiness, Reviewing
from sideshoot.agents.opencode.faults import INSTALL, explain
from sideshoot.agents.opencode.folders import (
    granted,
    make_settings_ready,
    writes_beside_settings,
)
from sideshoot.agents.opencode.readiness import readiness
from sideshoot.agents.opencode.rules import answer_permission, answer_question
from sideshoot.agents.opencode.server import PATIENCE_S, PROGRAM, Server, command
from sideshoot.agents.opencode.session import (
    check_mode,
    check_model,
    forget_session,
    is_idle,
    messages_of,
    model_of,
    open_session,
    prompt_of,
    show_checkout,
)
from sideshoot.agents.opencode.stream import Stream
from sideshoot.agents.opencode.turn import Turn
from sideshoot.agents.rpc import PeerGone, RpcFailure, Stopped
from sideshoot.agents.surroundings import enclosed, refuse_offline, refuse_unnamable
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Grants, Stop, Task
    from sideshoot.agents.opencode.client import Client
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level

RETRIES_S = 180.0
"""How long OpenCode may try to reach the model before the turn has failed."""
_WITHOUT_SETTINGS = (
    "OpenCode would write beside the project's settings for it, in .opencode: for this task, which is"
    " to look only, they and AGENTS.md are left out"
)
_LOOK_S = 5.0
"""The stream can miss the end of a turn, and questions: they are looked for so often."""


class OpenCodeAgent:
    """Drives `opencode serve`.

    OpenCode has no sandbox: its own tools are kept inside of the workspace by rules, the commands
    that it runs are not.
    """

    name = "opencode"
    has_modes = True
    sandboxed = False
    reviewing: Reviewing | None = Reviewing(128 * 1024)

    def __init__(
        self,
        patience_s: float = PATIENCE_S,
        retries_s: float = RETRIES_S,
        look_s: float = _LOOK_S,
    ) -> None:
        self._patience_s = patience_s
        self._retries_s = retries_s
        self._look_s = look_s

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        """Ask for the version and for the providers that it can use."""
        return readiness(environment)

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:  # noqa: ARG002 - as every agent's
        """Its folders for data, state and cache; its configuration stays as it is.

        :raises CannotStart: it could not reach its model.
        """
        refuse_offline(self.name, level)
        return granted()

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let OpenCode do the task in a session of its own, or in the one that is gone on with.

        :raises AgentUnavailable: OpenCode is not installed, too new or too old, or the model's
            name has no provider.
        """
        refuse_unnamable(self.name, task.folder, task.top)
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"opencode is not installed; run `{INSTALL}`")
        model = model_of(task)
        turn = Turn(emit, task.top, self._retries_s)
        if task.fence is not None:
            make_settings_ready()
        argv, environment = enclosed(task, command())
        if task.read_only and writes_beside_settings(task):
            environment["OPENCODE_DISABLE_PROJECT_CONFIG"] = "1"
            turn.say(EventKind.WARNING, "settings", text=_WITHOUT_SETTINGS)
        with Server.start(
            argv,
            folder=task.folder,
            environment=environment,
            stderr=task.stderr,
            patience_s=self._patience_s,
        ) as server:
            error = _Conversation(server, turn, task, stop, self._look_s).hold(model)
        return turn.result(error, None if task.ephemeral else turn.thread_id)


class _Conversation:
    """One turn with a server, from its start to its end."""

    def __init__(self, server: Server, turn: Turn, task: Task, stop: Stop, look_s: float) -> None:
        self._server = server
        self._turn = turn
        self._task = task
        self._stop = stop
        self._look_s = look_s
        self._stream: Stream | None = None
        self._aborted = False

    def hold(self, model: dict[str, str] | None) -> str | None:
        """The whole of it; why it failed, if it did."""
        server = self._server
        error = None
        try:
            client = self._begin(model)
            try:
                self._await_end(client)
            finally:
                self._quiet(client)
                if self._task.ephemeral:
                    forget_session(client, self._turn.thread_id)
        except (Stopped, PeerGone):
            pass  # the stop and the turn tell what came of it
        except RpcFailure as failure:
            error = explain(f"opencode: {failure}")
        if self._stream is not None:
            self._stream.close()
        if error is None and self._died():
            error = server.obituary()
        server.close()
        return error or self._judgement()

    def _begin(self, model: dict[str, str] | None) -> Client:
        turn, task, stop = self._turn, self._task, self._stop
        turn.enter("starting")
        client = self._server.connect(task.folder, stop=stop)
        show_checkout(client, task.checkout, stop)
        if model is not None:
            check_model(client, model, stop)
        if task.mode is not None:
            check_mode(client, task.mode, stop)
        self._listen(client)
        thread_id = open_session(client, task, stop)
        turn.expect(thread_id, messages_of(client, thread_id, stop) if task.thread_id else [])
        turn.say(
            EventKind.STARTED,
            "session",
            thread_id=thread_id,
            model=task.model,
            effort=task.effort,
        )
        path = f"/session/{thread_id}/prompt_async"
        client.call("POST", path, prompt_of(task, model))  # no stop: what it began must be aborted
        return client

    def _listen(self, client: Client) -> None:
        turn = self._turn
        turn.on_permission = lambda request: self._warn(answer_permission(client, request))
        turn.on_question = lambda request: self._warn(answer_question(client, request))
        self._stream = Stream(client, turn)
        self._stop.on_request(self._stream.release)
        self._server.tree.when_over(self._stream.close)
        self._stream.start()
        self._stream.await_open()
        if self._stop.requested:
            raise Stopped("start")

    def _warn(self, text: str | None) -> None:
        if text is not None:
            self._turn.say(EventKind.WARNING, "permission", text=text)

    def _await_end(self, client: Client) -> None:
        """Until the stream or the session itself says that the turn is over."""
        turn = self._turn
        self._stop.on_request(turn.settled.set)
        self._server.tree.when_over(turn.settled.set)
        idle = 0
        while not turn.settled.wait(self._look_s):
            self._answer_all(client)
            # Just after the prompt was taken, a session may not be at work yet.
            idle = idle + 1 if is_idle(client, str(turn.thread_id), self._stop) else 0
            if idle > 1:
                turn.over = True
                break
        if turn.over:
            turn.take(messages_of(client, str(turn.thread_id)))

    def _answer_all(self, client: Client) -> None:
        for path, answer in (
            ("/permission", self._turn.on_permission),
            ("/question", self._turn.on_question),
        ):
            for request in client.get(path, stop=self._stop) or []:
                answer(request)

    def _quiet(self, client: Client) -> None:
        """Abort the turn if it is not over: neither a lost connection nor a stop ends it."""
        turn, patience_s = self._turn, self._server.patience_s
        if turn.over or self._server.tree.over:
            return
        self._aborted = True
        turn.settled.clear()
        with contextlib.suppress(RpcFailure):  # closing the server ends it too
            client.call("POST", f"/session/{turn.thread_id}/abort", {}, timeout_s=patience_s)
            if turn.failure is None:
                turn.settled.wait(patience_s)

    def _died(self) -> bool:
        turn = self._turn
        return not (turn.over or turn.error or turn.failure or self._stop.requested)

    def _judgement(self) -> str | None:
        turn, stop = self._turn, self._stop
        if stop.requested and (self._aborted or not turn.over):
            return f"stopped: {stop.reason}"
        return turn.judgement()
