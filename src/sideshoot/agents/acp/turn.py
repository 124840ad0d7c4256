"""One turn of a conversation, as the agent's updates tell it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sideshoot.agents.acp.faults import explain, explain_failure, failure_in, why_unfinished
from sideshoot.agents.acp.policy import SWITCH_MODE, outcome, refusal
from sideshoot.agents.acp.tools import ToolCall
from sideshoot.agents.base import EventKind
from sideshoot.agents.bounds import why_not_there
from sideshoot.agents.listener import Listener
from sideshoot.agents.rpc import METHOD_NOT_FOUND, Refused, RpcFailure
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event, Task

    Facts = dict[str, Any]

# Known, and nothing that a reader of the log would miss.
_SILENT = frozenset(
    {
        "available_commands_update",
        "config_option_update",
        "current_mode_update",
        "user_message_chunk",
    }
)
_CHUNKS = {
    "agent_message_chunk": EventKind.MESSAGE,
    "agent_thought_chunk": EventKind.REASONING,
}
_COUNTS = {
    "inputTokens": "input_tokens",
    "cachedReadTokens": "cached_input_tokens",
    "outputTokens": "output_tokens",
    "thoughtTokens": "reasoning_tokens",
    "totalTokens": "total_tokens",
}


class Turn(Listener):
    """Takes what the agent says and asks; knows how the turn went."""

    def __init__(self, emit: Callable[[Event], None], name: str, task: Task) -> None:
        super().__init__(emit)
        self._name = name
        self._task = task
        self._top = f"{task.top}/"
        self._calls: dict[str, ToolCall] = {}
        self._piece: tuple[EventKind, str] | None = None
        self._said: list[str] = []
        self._refused = 0
        self._went_through = False
        self._cost: float | None = None
        self.thread_id = task.thread_id
        self.begun = False
        """Whether the task was handed over; before that, what comes is of earlier turns."""
        self.answered = threading.Event()
        self.error: str | None = None

    @property
    def over(self) -> bool:
        """Whether the agent said that it is."""
        return self.answered.is_set()

    def begin(self, thread_id: str) -> None:
        """The task is about to be handed over in this session."""
        self.thread_id = thread_id
        self.begun = True

    def take_answer(self, answer: Facts | RpcFailure) -> None:
        """What the turn was answered with."""
        if isinstance(answer, Refused):
            self._finish(explain(self._name, answer))
        elif isinstance(answer, dict):
            self._end_piece()
            self._count(answer)
            failure = failure_in(answer)
            told = explain_failure(self._name, failure) if failure else None
            self._finish(told or self._judgement(answer.get("stopReason")))
        self.settled.set()

    # -- what the peer's reader calls

    def on_request(self, method: str, params: Any) -> Any:
        if method == "session/request_permission" and isinstance(params, dict):
            return self._judge(params)
        self.say(
            EventKind.WARNING, method, text=f"{self._name} asked for what is not there: {method}"
        )
        raise Refused(method, METHOD_NOT_FOUND, f"{method} is not supported")

    def on_notice(self, method: str, params: Any) -> None:
        update = params.get("update") if isinstance(params, dict) else None
        if method != "session/update" or not isinstance(update, dict):
            if not method.startswith("_"):  # an extension of the agent's own
                self.say(EventKind.RAW, method, payload=params)
        elif self.begun:
            self._take(str(update.get("sessionUpdate")), update)

    # -- what it asks

    def _judge(self, request: Facts) -> Facts:
        told = request.get("toolCall")
        call = self._call_of(told if isinstance(told, dict) else {})
        why = refusal(self._task, call)
        if why is not None:
            self._refused += call.kind != SWITCH_MODE  # it can go on with its work
            self.say(EventKind.WARNING, "refused", text=f"refused {call.in_words()} ({why})")
        return outcome(request.get("options"), granted=why is None)

    # -- what it says

    def _take(self, kind: str, update: Facts) -> None:
        if kind in _CHUNKS:
            self._hear_piece(_CHUNKS[kind], update)
            return
        if kind != "usage_update":
            self._end_piece()
        if kind in ("tool_call", "tool_call_update"):
            self._hear_call(update)
        elif kind == "plan":
            self.say(EventKind.PLAN, kind, steps=_steps(update.get("entries")))
        elif kind == "session_info_update":
            self._hear_of_session(update)
        elif kind == "usage_update":
            self._hear_cost(update.get("cost"))
        elif kind not in _SILENT:
            self.say(EventKind.RAW, kind, payload=update)

    def _hear_piece(self, kind: EventKind, update: Facts) -> None:
        piece = (kind, str(update.get("messageId") or ""))
        if piece != self._piece:
            self._end_piece()
            self._piece = piece
        content = update.get("content")
        self._said.append(str(content.get("text") or "") if isinstance(content, dict) else "")
        self.enter("writing" if kind is EventKind.MESSAGE else "thinking")

    def _end_piece(self) -> None:
        if self._piece is None:
            return
        kind, text = self._piece[0], "".join(self._said)
        self._piece, self._said = None, []
        if not text.strip():
            return
        if kind is EventKind.MESSAGE:
            self.message = text
            self.say(kind, "agent_message", text=text, final=False)
        else:
            self.say(kind, "agent_thought", text=text)

    def _hear_call(self, update: Facts) -> None:
        call = self._call_of(update)
        for event in call.news(self._top):
            self.hand_over(event)
            if event.kind is EventKind.FILE_CHANGE and event.data["status"] == "completed":
                self._tell_outside(call)
        self._went_through |= update.get("status") == "completed"
        self.enter("working")

    def _tell_outside(self, call: ToolCall) -> None:
        """Say what was changed where nothing may be, by an agent that does not ask."""
        for path in call.paths:
            if why_not_there(self._task, path):
                text = (
                    f"{self._name} has changed {path} without asking; that is not in the workspace"
                )
                self.say(EventKind.WARNING, "outside", text=text)

    def _call_of(self, facts: Facts) -> ToolCall:
        call = self._calls.setdefault(str(facts.get("toolCallId")), ToolCall())
        call.update(facts)
        return call

    def _hear_of_session(self, update: Facts) -> None:
        failure = failure_in(update)
        if failure is not None:
            text = f"{self._name}: {one_line(failure.get('title', 'the model provider failed'))}"
            self.say(EventKind.WARNING, "session_info_update", text=text)

    def _hear_cost(self, cost: Any) -> None:
        if isinstance(cost, dict) and cost.get("currency") == "USD" and cost.get("amount"):
            self._cost = round(float(cost["amount"]), 6)

    # -- the end

    def _judgement(self, reason: Any) -> str | None:
        unfinished = why_unfinished(reason)
        if unfinished is not None:
            return unfinished
        if self._refused and not self._went_through and not self._task.read_only:
            return f"all that {self._name} wanted to do was refused; the warnings say what"
        if not self.message and not self._calls:
            return f"{self._name} ended the turn without a word; try again, or with another model"
        return None

    def _finish(self, error: str | None) -> None:
        self.error = error
        if error is not None:
            self.say(EventKind.ERROR, "session/prompt", text=error)
        self.answered.set()

    def _count(self, answer: Facts) -> None:
        counts = answer.get("usage")
        told = counts if isinstance(counts, dict) else {}
        self.usage = {ours: told[theirs] for theirs, ours in _COUNTS.items() if told.get(theirs)}
        self.usage |= {"cost_usd": self._cost} if self._cost else {}
        if self.usage:
            self.say(EventKind.USAGE, "session/prompt", **self.usage)


def _steps(entries: Any) -> list[Facts]:
    found = [it for it in entries if isinstance(it, dict)] if isinstance(entries, list) else []
    return [
        {"text": one_line(it.get("content", "")), "status": str(it.get("status") or "pending")}
        for it in found
    ]
