"""A running `claude -p`: messages in lines, and requests of either side with their answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sideshoot.agents.program import ANSWER_S, Program
from sideshoot.agents.rpc import Peer, decode_object
from sideshoot.agents.words import as_unicode

if TYPE_CHECKING:
    from sideshoot.agents.base import Stop

    Message = dict[str, Any]

PROGRAM = "claude"

_OF_ANOTHER_SESSION = frozenset(
    {
        "CLAUDECODE",
        "CLAUDE_CODE_CHILD_SESSION",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_ENV_FILE",
    }
)


class ControlPeer(Peer):
    """Claude Code's control protocol: questions and answers as of JSON-RPC, in a form of its own.

    What is neither is a notice; its `type` is the method, and all of it the parameters.
    """

    def _call_form(self, number: int, method: str, params: Message) -> Message:
        request = {"subtype": method, **params}
        return {"type": "control_request", "request_id": str(number), "request": request}

    def _answer_form(self, request: Message, answer: Message) -> Message:
        response: Message = {"request_id": request.get("request_id")}
        if "error" in answer:
            response |= {"subtype": "error", "error": answer["error"]["message"]}
        else:
            response |= {"subtype": "success", "response": answer["result"]}
        return {"type": "control_response", "response": response}

    def _take(self, line: bytes) -> None:
        message = decode_object(line)
        kind = message.get("type") if message else None
        if message is None or not isinstance(kind, str):
            self._hear_noise(line)
        elif kind == "control_response":
            self._settle(_as_answer(message.get("response")))
        elif kind == "control_request":
            asked = message.get("request")
            asked = asked if isinstance(asked, dict) else {}
            self._answer(message, str(asked.get("subtype")), asked)
        elif kind != "control_cancel_request":  # there is none that is not answered at once
            self._handler.on_notice(kind, message)


class Conversation(Program):
    """`claude -p` and the conversation with it."""

    name = "claude"
    speaks = ControlPeer
    asked = False
    """Whether a turn was begun."""

    def initialize(self, *, timeout_s: float = ANSWER_S, stop: Stop | None = None) -> Message:
        """Begin; what it says of itself, the account among it.

        :raises RpcFailure: it does not answer.
        """
        return self.call("initialize", {"hooks": None}, timeout_s=timeout_s, stop=stop)

    def say(self, prompt: str) -> None:
        """Begin a turn with what the user says."""
        self.asked = True
        content = [{"type": "text", "text": as_unicode(prompt)}]
        message = {"role": "user", "content": content}
        self.put({"type": "user", "message": message, "parent_tool_use_id": None, "session_id": ""})

    def put(self, message: Message) -> None:
        """Send a message of either side as it is."""
        self._peer.send(message)

    def interrupt(self) -> None:
        """Interrupt the turn; the command that it runs is killed.

        :raises RpcFailure: it does not answer.
        """
        self.call("interrupt", {}, timeout_s=self.patience_s)


def without_other_session(variables: dict[str, str]) -> dict[str, str]:
    """Without what tells that we were started by a Claude Code: ours is a session of its own."""
    return {name: value for name, value in variables.items() if name not in _OF_ANOTHER_SESSION}


def own_environment() -> dict[str, str]:
    """This process's variables, for a look at Claude Code outside of a task."""
    return without_other_session(dict(os.environ))


def _as_answer(response: Any) -> Message:
    facts = response if isinstance(response, dict) else {}
    number = str(facts.get("request_id"))
    answer: Message = {"id": int(number) if number.isdecimal() else None}
    if facts.get("subtype") == "error":
        return answer | {"error": {"message": facts.get("error") or "no reason given"}}
    return answer | {"result": facts.get("response")}
