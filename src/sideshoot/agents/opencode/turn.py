"""One turn of a conversation with OpenCode, as its events and its messages tell it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import EventKind
from sideshoot.agents.listener import Listener
from sideshoot.agents.opencode.faults import (
    ABORTED,
    BROKEN_OFF,
    explain,
    explain_retries,
    is_broken_off,
    why_unfinished,
)
from sideshoot.agents.opencode.parts import plan_of, usage_of
from sideshoot.agents.opencode.transcript import Transcript
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sideshoot.agents.base import AgentResult, Event

    Facts = dict[str, Any]

# After an answer that broke off OpenCode asks again, at once and for ever.
_BROKEN_LIMIT = 3

# Known, and nothing that a reader of the log would miss: lists of the server's own, and what comes
# again in another form. Changes are git's to tell.
_SILENT = (
    "catalog.", "file.", "installation.", "integration.", "lsp.", "mcp.", "message.", "models-dev.",
    "permission.", "plugin.", "project.", "pty.", "question.", "reference.", "server.", "session.",
    "todo.", "tui.",
)  # fmt: skip


class Turn(Listener):
    """Takes what the server says; knows how the turn went."""

    def __init__(self, emit: Callable[[Event], None], top: Path, retries_s: float) -> None:
        super().__init__(emit)
        self._retries_s = retries_s
        self._transcript = Transcript(self.hand_over, self.enter, f"{top}/")
        self._before: set[str] = set()
        self._infos: dict[str, Facts] = {}
        """The assistant's messages of this turn."""
        self._theirs: set[str] = set()
        """Those of subagents."""
        self._failing_since: float | None = None
        self._broken = 0
        self._asked = False
        self._takers: dict[str, Callable[[Facts], None]] = {
            "message.part.delta": self._delta,
            "message.part.updated": self._part,
            "message.updated": self._message,
            "permission.asked": self._ask_permission,
            "question.asked": self._ask_question,
            "session.compacted": lambda _: self.enter("compacting"),
            "session.error": self._fault,
            "session.idle": self._idle,
            "session.status": self._status,
            "todo.updated": self._plan,
        }
        self.on_permission: Callable[[Facts], None] = lambda _: None
        self.on_question: Callable[[Facts], None] = lambda _: None
        self.thread_id: str | None = None
        self.over = False
        """Whether OpenCode said that it is."""
        self.error: str | None = None

    def expect(self, thread_id: str, messages: Iterable[Facts]) -> None:
        """From now on the server may tell of the turn in this session.

        :param messages: those of the turns before.
        """
        self.thread_id = thread_id
        self._before = {str(it["info"].get("id")) for it in messages}
        self._asked = True

    def judgement(self) -> str | None:
        """Why the turn that is over did not succeed; `None` if it did."""
        if self.error is not None:
            return self.error
        last = list(self._infos.values())[-1] if self._infos else {}
        if last.get("error"):
            return explain(last["error"])
        if not self._transcript.last_text(self._infos) and not self._transcript.acted:
            return "OpenCode ended the turn without a word and without doing anything"
        if not (last.get("time") or {}).get("completed"):
            return "OpenCode ended the turn in the middle of an answer"
        return why_unfinished(last.get("finish"))

    def result(self, error: str | None, thread_id: str | None) -> AgentResult:
        """How the turn ended, with the last thing that the model said; see `Listener.result`."""
        self.message = self._transcript.last_text(self._infos)
        self.usage = usage_of(self._infos.values())
        return super().result(error, thread_id)

    def take(self, messages: Iterable[Facts]) -> None:
        """What the session holds, where the stream may have missed something."""
        for message in messages:
            self._message({"info": message["info"], "sessionID": self.thread_id})
            for part in message.get("parts") or []:
                self._part({"part": part, "sessionID": self.thread_id})

    # -- what the stream calls

    def on_event(self, kind: str, facts: Facts) -> None:
        take = self._takers.get(kind)
        if take is not None:
            take(facts)
        elif not kind.startswith(_SILENT):
            self.say(EventKind.RAW, kind, payload=facts)

    # -- the events

    def _message(self, facts: Facts) -> None:
        info = facts.get("info") or {}
        name = str(info.get("id"))
        if info.get("role") != "assistant" or name in self._before:
            return
        if not self._is_ours(facts):
            self._theirs.add(name)
        else:
            self._infos[name] = info
        if (info.get("time") or {}).get("completed"):
            first = self._transcript.complete(name, final=not why_unfinished(info.get("finish")))
            if first and name in self._infos:
                self._step(info)

    def _step(self, info: Facts) -> None:
        """One request to the model is over, with an answer or without one."""
        if usage := usage_of(self._infos.values()):
            self.say(EventKind.USAGE, "message.updated", **usage)
        self._broken = self._broken + 1 if is_broken_off(info) else 0
        if self._broken >= _BROKEN_LIMIT:
            self._fail(BROKEN_OFF)

    def _part(self, facts: Facts) -> None:
        part = facts.get("part") or {}
        message = str(part.get("messageID"))
        if self._is_known(message):
            self._failing_since = None
            self._transcript.add(part, message)

    def _status(self, facts: Facts) -> None:
        status = facts.get("status") or {}
        if status.get("type") == "retry" and self._is_ours(facts):
            self._retry(status)

    def _retry(self, status: Facts) -> None:
        """OpenCode would go on for ever, with pauses that grow."""
        self.enter("waiting")
        message = status.get("message") or "no reason given"
        self.say(EventKind.WARNING, "session.status", text=f"trying again: {one_line(message)}")
        now = time.time()
        self._failing_since = self._failing_since or now
        next_at = (status.get("next") or 0) / 1000
        if max(next_at, now) - self._failing_since > self._retries_s:
            self._fail(explain_retries(message))

    def _fault(self, facts: Facts) -> None:
        error = facts.get("error") or {}
        if facts.get("sessionID") is None:
            self.say(EventKind.WARNING, "session.error", text=explain(error))
        elif self._is_ours(facts) and error.get("name") != ABORTED:
            self._fail(explain(error), settle=False)

    def _fail(self, error: str, *, settle: bool = True) -> None:
        if self.error is None:  # the first is the reason, and the second may hold a stack trace
            self.error = error
            self.say(EventKind.ERROR, "session.error", text=error)
        if settle:
            self.settled.set()

    def _idle(self, facts: Facts) -> None:
        if self._is_ours(facts) and (self._infos or self.error):
            self.over = True
            self.settled.set()

    def _ask_permission(self, facts: Facts) -> None:
        self.on_permission(facts)

    def _ask_question(self, facts: Facts) -> None:
        self.on_question(facts)

    def _plan(self, facts: Facts) -> None:
        if self._is_ours(facts):
            self.say(EventKind.PLAN, "todo.updated", steps=plan_of(facts.get("todos") or []))

    def _delta(self, facts: Facts) -> None:
        """Pieces of what comes whole later; a sign of life."""
        if self._is_known(str(facts.get("messageID"))):
            self.enter(self._transcript.phase_of(str(facts.get("partID"))))

    def _is_known(self, message: str) -> bool:
        """Whether it is one of the model's own, in this turn."""
        return message in self._infos or message in self._theirs

    def _is_ours(self, facts: Facts) -> bool:
        """Subagents have sessions of their own in the same server."""
        return self._asked and facts.get("sessionID") == self.thread_id
