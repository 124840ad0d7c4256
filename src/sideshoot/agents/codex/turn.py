"""One turn of a conversation with Codex, as its notices tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import EventKind
from sideshoot.agents.codex.answers import answer_to, description
from sideshoot.agents.codex.faults import explain
from sideshoot.agents.codex.items import PHASES, event_of, usage_of
from sideshoot.agents.listener import Listener
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sideshoot.agents.base import Event

    Facts = dict[str, Any]

# Known, and nothing that a reader of the log would miss: the state of the server's own lists, and
# what 0.100 says twice. The diff is git's to tell: Codex's own leaves out what commands wrote.
_SILENT = (
    "account/",
    "app/",
    "codex/event/",
    "item/fileChange/patchUpdated",
    "item/reasoning/summaryPartAdded",
    "remoteControl/",
    "serverRequest/",
    "skills/",
    "thread/",
    "turn/diff/",
)

_STEPS = {"inProgress": "in_progress"}


class Turn(Listener):
    """Takes what the server says unasked; knows how the turn went."""

    def __init__(self, emit: Callable[[Event], None], top: Path) -> None:
        super().__init__(emit)
        self._top = f"{top}/"
        self._tokens_before: Facts | None = None
        self._takers: dict[str, Callable[[Facts], None]] = {
            "configWarning": self._warn,
            "deprecationNotice": self._warn,
            "error": self._fault,
            "guardianWarning": self._warn,
            "item/completed": lambda facts: self._item(facts, finished=True),
            "item/started": lambda facts: self._item(facts, finished=False),
            "mcpServer/startupStatus/updated": self._tool_server,
            "thread/tokenUsage/updated": self._count,
            "turn/completed": self._complete,
            "turn/plan/updated": self._plan,
            "turn/started": self._begin,
            "warning": self._warn,
        }
        self.thread_id: str | None = None
        self.turn_id: str | None = None
        self._asked = False
        self.status: str | None = None
        """`completed`, `interrupted` or `failed` once Codex said so."""
        self.error: Any = None

    def expect(self, thread_id: str) -> None:
        """From now on the server may tell of the turn in this thread."""
        self.thread_id = thread_id
        self._asked = True

    @property
    def over(self) -> bool:
        """Whether Codex said that it is."""
        return self.status is not None

    # -- what the peer's reader calls

    def on_request(self, method: str, params: Any) -> Any:
        if method != "currentTime/read":
            self.say(EventKind.WARNING, method, text=description(method, params))
        return answer_to(method)

    def on_notice(self, method: str, params: Any) -> None:
        facts = params if isinstance(params, dict) else {}
        take = self._takers.get(method)
        if take is not None:
            take(facts)
        elif method.lower().endswith("delta"):
            self._delta(method)
        elif not method.startswith(_SILENT):
            self.say(EventKind.RAW, method, payload=params)

    # -- the notices

    def _item(self, facts: Facts, *, finished: bool) -> None:
        item = facts.get("item") or {}
        phase = PHASES.get(str(item.get("type")))
        if phase and not finished:
            self.enter(phase)
        event = event_of(item, self._top, finished=finished)
        if event is None:
            return
        self.hand_over(event)
        if event.kind is EventKind.MESSAGE and event.data["text"] and self._is_ours(facts):
            self.message = event.data["text"]

    def _begin(self, facts: Facts) -> None:
        if self._is_ours(facts):
            self.turn_id = (facts.get("turn") or {}).get("id")

    def _complete(self, facts: Facts) -> None:
        if self._is_ours(facts):
            turn = facts.get("turn") or {}
            self.error = turn.get("error")
            self.status = turn.get("status") or "completed"
            self.settled.set()

    def _count(self, facts: Facts) -> None:
        """Count this turn alone: a resumed thread's total holds the turns before."""
        # A resumed thread begins with the counts of its last turn.
        if not self._is_ours(facts) or facts.get("turnId") != self.turn_id:
            return
        usage = facts.get("tokenUsage") or {}
        total, last = usage_of(usage.get("total") or {}), usage_of(usage.get("last") or {})
        if self._tokens_before is None:
            self._tokens_before = {name: total[name] - last.get(name, 0) for name in total}
        self.usage = {name: total[name] - self._tokens_before.get(name, 0) for name in total}
        self.say(EventKind.USAGE, "thread/tokenUsage/updated", **self.usage)

    def _plan(self, facts: Facts) -> None:
        steps = [
            {"text": step.get("step", ""), "status": _STEPS.get(step["status"], step["status"])}
            for step in facts.get("plan") or []
        ]
        self.say(EventKind.PLAN, "turn/plan/updated", steps=steps)

    def _fault(self, facts: Facts) -> None:
        kind = EventKind.WARNING if facts.get("willRetry") else EventKind.ERROR
        self.say(kind, "error", text=explain(facts.get("error")))

    def _warn(self, facts: Facts) -> None:
        text = facts.get("message") or facts.get("summary") or ""
        self.say(EventKind.WARNING, "warning", text=one_line(text))

    def _tool_server(self, facts: Facts) -> None:
        if facts.get("error"):
            text = f"tool server {facts.get('name')}: {one_line(facts['error'])}"
            self.say(EventKind.WARNING, "mcpServer/startupStatus/updated", text=text)

    def _delta(self, method: str) -> None:
        """Pieces of what comes whole later; a sign of life."""
        kind = method.split("/")[1] if method.startswith("item/") else ""
        self.enter("running" if kind == "commandExecution" else PHASES.get(kind, "working"))

    def _is_ours(self, facts: Facts) -> bool:
        """Subagents have threads of their own in the same server."""
        return self._asked and facts.get("threadId") in (None, self.thread_id)
