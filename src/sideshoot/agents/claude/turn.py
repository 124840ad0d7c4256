"""One turn of a conversation with Claude Code, as its messages tell it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import EventKind
from sideshoot.agents.claude.faults import explain
from sideshoot.agents.claude.policy import refusal
from sideshoot.agents.claude.tools import ClaudeUse
from sideshoot.agents.listener import Listener
from sideshoot.agents.rpc import METHOD_NOT_FOUND, Refused
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event, Task

    Facts = dict[str, Any]

_PHASES = {"text": "writing", "thinking": "thinking", "tool_use": "working"}

# The model's name in what Claude Code says in its stead, such as an error of the provider's.
_SYNTHETIC = "<synthetic>"

# Known, and nothing that a reader of the log would miss.
_SILENT = frozenset({"keep_alive", "rate_limit_event", "tool_use_summary"})
_SILENT_SYSTEM = frozenset(
    {
        "hook_progress",
        "hook_response",
        "hook_started",
        "session_state_changed",
        "task_notification",
        "task_progress",
        "task_started",
        "task_updated",
        "thinking_tokens",
    }
)


class Turn(Listener):
    """Takes what Claude Code says and asks; knows how the turn went."""

    def __init__(self, emit: Callable[[Event], None], task: Task) -> None:
        super().__init__(emit)
        self._task = task
        self._top = f"{task.top}/"
        self._uses: dict[str, ClaudeUse] = {}
        self._refused: set[str] = set()
        self._went_through = False
        self._kind_of_error = ""
        self._takers: dict[str, Callable[[Facts], None]] = {
            "assistant": self._hear_assistant,
            "result": self._end,
            "stream_event": self._hear_piece,
            "system": self._hear_system,
            "tool_progress": lambda _: self.enter("running"),
            "user": self._hear_results,
        }
        self.thread_id: str | None = None
        self.over = False
        """Whether Claude Code said that it is."""
        self.error: str | None = None
        """Why it failed, if it did, once it is over."""

    # -- what the peer's reader calls

    def on_request(self, method: str, params: Any) -> Any:
        if method == "can_use_tool":
            return self._judge(params)
        self.say(
            EventKind.WARNING, method, text=f"Claude Code asked for what is not there: {method}"
        )
        if method == "elicitation":
            return {"action": "decline"}
        raise Refused(method, METHOD_NOT_FOUND, f"{method} is not supported")

    def on_notice(self, method: str, params: Any) -> None:
        take = self._takers.get(method)
        if take is not None:
            take(params)
        elif method not in _SILENT:
            self.say(EventKind.RAW, method, payload=params)

    # -- what it asks

    def _judge(self, request: Facts) -> Facts:
        why = refusal(self._task, request)
        if why is None:
            return {"behavior": "allow", "updatedInput": request.get("input") or {}}
        use = ClaudeUse.of({"name": request.get("tool_name"), "input": request.get("input")})
        self._tell_refusal(str(request.get("tool_use_id")), use, why)
        return {"behavior": "deny", "message": why}

    def _tell_refusal(self, number: str, use: ClaudeUse, why: str) -> None:
        if number not in self._refused:
            self._refused.add(number)
            self.say(EventKind.WARNING, "refused", text=f"refused {use.in_words()} ({why})")

    # -- what it says

    def _hear_system(self, facts: Facts) -> None:
        subtype = str(facts.get("subtype"))
        if subtype == "init":
            self._begin(facts)
        elif subtype == "status":
            self.enter("compacting" if facts.get("status") == "compacting" else "waiting")
        elif subtype == "api_retry":
            told = facts.get("error") or facts.get("error_status") or "the provider failed"
            self.say(EventKind.WARNING, subtype, text=f"the model is asked again: {one_line(told)}")
        elif subtype not in _SILENT_SYSTEM:
            self.say(EventKind.RAW, f"system/{subtype}", payload=facts)

    def _begin(self, facts: Facts) -> None:
        if self.thread_id is None:
            self.thread_id = facts.get("session_id")
            self.say(
                EventKind.STARTED,
                "system/init",
                thread_id=self.thread_id,
                model=facts.get("model"),
                effort=self._task.effort,
            )

    def _hear_piece(self, facts: Facts) -> None:
        """Pieces of what comes whole later; a sign of life."""
        event = facts.get("event") or {}
        block = event.get("content_block") or {}
        self.enter(_PHASES.get(str(block.get("type")), self._phase or "working"))

    def _hear_assistant(self, facts: Facts) -> None:
        message = facts.get("message") or {}
        if message.get("model") == _SYNTHETIC and facts.get("error"):
            self._kind_of_error = str(facts["error"])  # told when the turn ends with it
            return
        for block in _blocks(message):
            match block.get("type"):
                case "text" if block.get("text"):
                    self._hear_text(str(block["text"]), ours=not facts.get("parent_tool_use_id"))
                case "thinking" if block.get("thinking"):
                    self.say(EventKind.REASONING, "thinking", text=block["thinking"])
                case "tool_use":
                    use = self._uses[str(block.get("id"))] = ClaudeUse.of(block)
                    self.hand_over(use.begun(self._top))

    def _hear_text(self, text: str, *, ours: bool) -> None:
        """:param ours: whether it is not a subagent's."""
        self.say(EventKind.MESSAGE, "text", text=text, final=False)
        if ours:
            self.message = text

    def _hear_results(self, facts: Facts) -> None:
        for block in _blocks(facts.get("message") or {}):
            number = str(block.get("tool_use_id"))
            use = self._uses.pop(number, None)
            if use is None:
                continue
            refused = number in self._refused
            self._went_through |= not refused
            event = use.ended(self._top, block, refused=refused)
            if event is not None:
                self.hand_over(event)

    def _end(self, facts: Facts) -> None:
        self.thread_id = self.thread_id or facts.get("session_id")
        self._count(facts)
        self._tell_further_refusals(facts)
        self.error = self._why_failed(facts)
        if self.error is None:
            self.message = _structured(facts) or facts.get("result") or self.message
        else:
            self.say(EventKind.ERROR, "result", text=self.error)
        self.over = True
        self.settled.set()

    def _why_failed(self, facts: Facts) -> str | None:
        if facts.get("is_error"):
            return explain(facts, self._kind_of_error)
        result = str(facts.get("result") or "")
        if not facts.get("num_turns") and result.startswith("Unknown command: "):
            return (
                f"{one_line(result)}; a task that begins with a slash is a command of Claude Code's"
            )
        if self._refused and not self._went_through and not self._task.read_only:
            return "all that Claude Code wanted to do was refused; the warnings say what"
        return None

    def _tell_further_refusals(self, facts: Facts) -> None:
        """What the user's own settings refuse is not asked, but told at the end."""
        for denial in facts.get("permission_denials") or []:
            use = ClaudeUse.of({"name": denial.get("tool_name"), "input": denial.get("tool_input")})
            self._tell_refusal(str(denial.get("tool_use_id")), use, "by Claude Code's settings")

    def _count(self, facts: Facts) -> None:
        self.usage = usage_of(facts)
        if self.usage:
            self.say(EventKind.USAGE, "result", **self.usage)


def usage_of(result: Facts) -> Facts:
    """The counts of a turn under the names that all agents share.

    Anthropic counts what came from its cache, and what went into it, apart from the input.
    """
    counts = result.get("usage") or {}
    cached = counts.get("cache_read_input_tokens") or 0
    written = counts.get("cache_creation_input_tokens") or 0
    sent = (counts.get("input_tokens") or 0) + cached + written
    received = counts.get("output_tokens") or 0
    if not sent and not received:
        return {}
    usage = {
        "input_tokens": sent,
        "cached_input_tokens": cached,
        "output_tokens": received,
        "total_tokens": sent + received,
    }
    cost = result.get("total_cost_usd")
    return usage | ({"cost_usd": round(cost, 6)} if isinstance(cost, int | float) else {})


def _structured(result: Facts) -> str | None:
    """What a model that was held to a schema answered."""
    answer = result.get("structured_output")
    return None if answer is None else json.dumps(answer, ensure_ascii=False)


def _blocks(message: Facts) -> list[Facts]:
    content = message.get("content")
    return [it for it in content if isinstance(it, dict)] if isinstance(content, list) else []
