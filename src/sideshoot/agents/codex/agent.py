"""Codex as an agent: one task is one turn of one thread, in a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import AgentResult, EventKind, Readiness
from sideshoot.agents.codex.faults import LOG_IN, explain, one_line
from sideshoot.agents.codex.mounts import mounts_removed
from sideshoot.agents.codex.server import ANSWER_S, PROGRAM, Server
from sideshoot.agents.codex.turn import Turn
from sideshoot.agents.rpc import PeerGone, Refused, RpcFailure, Stopped
from sideshoot.agents.surroundings import surroundings
from sideshoot.errors import AgentUnavailable
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event, Stop, Task

INSTALL = "npm install -g @openai/codex"

_OPEN_S = 120.0
"""For calls during which Codex may start tool servers."""
_INTERRUPT_S = 3.0
_LOOK_S = 10.0

# Right after a thread's first turn its file may still be empty, and the process that wrote it may
# just be on its way out.
_NOT_YET = ("is empty", "list_turns is not supported", "already has an active writer")
_RESUME_TRIES = 20
_RESUME_PAUSE_S = 0.1


class CodexAgent:
    """Drives `codex app-server`.

    Codex works in its own sandbox: it may write below the workspace's top, in the few folders that
    git needs for commits on the job's branch, and in the places for temporary files, unless the
    user's configuration takes those away; the network is as the user's configuration has it.
    """

    name = "codex"

    def readiness(self) -> Readiness:
        """Ask for the version and for the login that the configured provider needs."""
        if shutil.which(PROGRAM) is None:
            return Readiness(False, detail="codex is not on PATH", remedy=INSTALL)
        try:
            version = _version()
            logged_in = _ask_for_login()
        except (AgentUnavailable, RpcFailure, OSError, subprocess.SubprocessError) as error:
            return Readiness(
                True, detail=one_line(f"codex does not answer: {error}"), remedy=INSTALL
            )
        detail = "logged in, or needs no login" if logged_in else "not logged in"
        return Readiness(True, version, logged_in, detail, "" if logged_in else LOG_IN)

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Let Codex do the task in a thread of its own, or in the one that is gone on with.

        :raises AgentUnavailable: Codex is not installed or not logged in.
        """
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"codex is not installed; run `{INSTALL}`")
        turn = Turn(emit, task.top)
        with (
            mounts_removed((task.folder, task.top, *task.writable)),
            Server.start(
                turn, folder=task.folder, environment=surroundings(task), stderr=task.stderr
            ) as server,
        ):
            error = self._attend(server, turn, task, stop)
        if turn.failure is not None:
            raise turn.failure
        return AgentResult(
            error is None,
            message=turn.message,
            error=error,
            thread_id=turn.thread_id,
            usage=turn.usage,
        )

    def _attend(self, server: Server, turn: Turn, task: Task, stop: Stop) -> str | None:
        """The whole of the conversation; why it failed, if it did."""
        error = None
        try:
            self._begin(server, turn, task, stop)
            stop.on_request(turn.settled.set)
            turn.settled.wait()
        except (Stopped, PeerGone):
            pass  # the stop and the turn tell what came of it
        except RpcFailure as failure:
            error = explain({"message": f"codex: {failure}"})
        if stop.requested and turn.turn_id and not turn.over:
            _interrupt(server, turn)
        if turn.thread_id:
            server.end_terminals(turn.thread_id)
        if error is None and not turn.over and not stop.requested and turn.failure is None:
            error = server.obituary()
        server.close()
        return error or _judgement(turn, stop)

    def _begin(self, server: Server, turn: Turn, task: Task, stop: Stop) -> None:
        turn.enter("starting")
        server.initialize(stop=stop)
        if not _is_logged_in(server, stop=stop):
            raise AgentUnavailable(f"codex is not logged in; run `{LOG_IN}`")
        opened = _open_thread(server, task, stop)
        thread_id = str(opened["thread"]["id"])
        turn.expect(thread_id)
        turn.say(
            EventKind.STARTED,
            "thread/resume" if task.thread_id else "thread/start",
            thread_id=thread_id,
            model=task.model or opened.get("model"),
            effort=task.effort or opened.get("reasoningEffort"),
        )
        parameters = _turn_parameters(task, thread_id, opened.get("sandbox"))
        answer = server.call("turn/start", parameters, timeout_s=_OPEN_S, stop=stop)
        turn.turn_id = answer["turn"]["id"]


def _open_thread(server: Server, task: Task, stop: Stop) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "cwd": str(task.folder),
        "approvalPolicy": "never",
        "sandbox": "read-only" if task.read_only else "workspace-write",
    }
    if task.model:
        parameters["model"] = task.model
    if task.thread_id is None:
        return server.call("thread/start", parameters, timeout_s=_OPEN_S, stop=stop)
    parameters |= {"threadId": task.thread_id, "excludeTurns": True}
    return _resume(server, parameters, stop)


def _resume(server: Server, parameters: dict[str, Any], stop: Stop) -> dict[str, Any]:
    tries = 1
    while True:
        try:
            return server.call("thread/resume", parameters, timeout_s=_OPEN_S, stop=stop)
        except Refused as refusal:
            passing = any(words in refusal.message for words in _NOT_YET)
            if not passing or tries == _RESUME_TRIES:
                raise Refused("thread/resume", refusal.code, _why_not_resumed(refusal)) from None
        tries += 1
        stop.wait(_RESUME_PAUSE_S)


def _why_not_resumed(refusal: Refused) -> str:
    if "no rollout" in refusal.message:
        return "this conversation is no longer there; start afresh with --fresh"
    if "active writer" in refusal.message:
        return "another Codex has this conversation open; end it there first"
    return refusal.message


def _whereabouts(task: Task) -> str:
    """What a model has to know whose memories are of another folder.

    It is told beside the task: Codex 0.169 takes `developerInstructions` when it resumes a thread,
    but does not hand them to the model.
    """
    return (
        f"You now work in {show_path(task.folder)}. This is a checkout of its own (top folder:"
        f" {show_path(task.top)}) of the repository that this conversation is about. Folders that"
        " earlier turns worked in belong to other checkouts and may be gone or out of date: look at"
        " files anew, and neither read nor write in those folders."
    )


def _turn_parameters(task: Task, thread_id: str, sandbox: Any) -> dict[str, Any]:
    texts = [_whereabouts(task), task.prompt] if task.thread_id else [task.prompt]
    parameters: dict[str, Any] = {
        "threadId": thread_id,
        "input": [{"type": "text", "text": _unicode(text), "text_elements": []} for text in texts],
        "cwd": str(task.folder),
        "approvalPolicy": "never",
        "sandboxPolicy": _sandbox_policy(task, sandbox),
    }
    chosen = {"model": task.model, "effort": task.effort}
    return parameters | {name: value for name, value in chosen.items() if value}


def _unicode(text: str) -> str:
    """Codex takes nothing else: bytes of a prompt that are no text become replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _sandbox_policy(task: Task, configured: Any) -> dict[str, Any]:
    """The policy that Codex made of the user's configuration, with the folders of this task."""
    if task.read_only:
        return {"type": "readOnly", "networkAccess": False}
    usual = {
        "type": "workspaceWrite",
        "networkAccess": False,
        "excludeTmpdirEnvVar": False,
        "excludeSlashTmp": False,
    }
    is_usable = isinstance(configured, dict) and configured.get("type") == "workspaceWrite"
    roots = [str(folder) for folder in (task.top, *task.writable)]
    return usual | (configured if is_usable else {}) | {"writableRoots": roots}


def _interrupt(server: Server, turn: Turn) -> None:
    """Codex's own interrupt: the turn ends, and what the model said so far is kept in the thread."""
    turn.settled.clear()
    parameters = {"threadId": turn.thread_id, "turnId": turn.turn_id}
    try:
        server.call("turn/interrupt", parameters, timeout_s=_INTERRUPT_S)
    except RpcFailure:
        return
    turn.settled.wait(_INTERRUPT_S)


def _judgement(turn: Turn, stop: Stop) -> str | None:
    if turn.status == "completed":
        return None
    if stop.requested:
        return f"stopped: {stop.reason}"
    return explain(turn.error) if turn.error else f"the turn was {turn.status}"


def _version() -> str:
    done = subprocess.run(
        [PROGRAM, "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LOOK_S,
        check=True,
    )
    return done.stdout.decode(errors="replace").split()[-1]


def _ask_for_login() -> bool:
    listener = Turn(lambda _: None, Path.home())
    with Server.start(listener, folder=Path.home(), environment=os.environ) as server:
        server.initialize(timeout_s=_LOOK_S)
        return _is_logged_in(server, timeout_s=_LOOK_S)


def _is_logged_in(server: Server, *, timeout_s: float = ANSWER_S, stop: Stop | None = None) -> bool:
    """Whether there is an account, or the provider needs none. Codex itself knows."""
    if os.environ.get("CODEX_API_KEY"):
        return True
    parameters = {"refreshToken": False}
    try:
        account = server.call("account/read", parameters, timeout_s=timeout_s, stop=stop)
    except Refused:  # it does not say; the first request to the model will
        return True
    return account.get("account") is not None or not account.get("requiresOpenaiAuth", False)
