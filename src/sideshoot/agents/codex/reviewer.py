"""A turn of Codex's own reviewer, which `review/start` begins.

The reviewer answers with findings as JSON, and Codex makes text of them. The text is what every
version tells; the JSON, which says more, is among the raw items of the model's answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import EventKind
from sideshoot.agents.codex.items import usage_of
from sideshoot.agents.codex.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sideshoot.agents.base import Event

    Facts = dict[str, Any]

_MODES = ("enteredReviewMode", "exitedReviewMode")


class ReviewTurn(Turn):
    """Its message is the reviewer's JSON where Codex shows it, else the text."""

    def __init__(self, emit: Callable[[Event], None], top: Path) -> None:
        super().__init__(emit, top)
        self._text = ""
        self._findings = ""
        self._takers |= {
            "rawResponse/completed": self._add_usage,
            "rawResponseItem/completed": self._hear_raw,
        }

    def _begin(self, facts: Facts) -> None:
        """The turn that begins is the reviewer's; ours has the id that `review/start` answered."""

    def _item(self, facts: Facts, *, finished: bool) -> None:
        item = facts.get("item") or {}
        if item.get("type") in _MODES:
            self.enter("reviewing")
        elif item.get("type") != "agentMessage":
            super()._item(facts, finished=finished)
        elif finished and self._is_ours(facts):
            self._text = str(item.get("text") or "")  # told once it is known to be all

    def _complete(self, facts: Facts) -> None:
        # Of a review that was not completed, Codex says words of its own that are for its terminal.
        completed = (facts.get("turn") or {}).get("status") == "completed"
        if completed and self._is_ours(facts):
            self.message = self._findings or self._text
            if self.message:
                self.say(EventKind.MESSAGE, "review", text=self.message, final=True)
        super()._complete(facts)

    def _hear_raw(self, facts: Facts) -> None:
        item = facts.get("item") or {}
        if item.get("role") == "assistant" and self._is_ours(facts):
            text = "".join(str(part.get("text", "")) for part in item.get("content") or [])
            self._findings = text if _has_findings(text) else self._findings

    def _add_usage(self, facts: Facts) -> None:
        """Nothing else says what a review has cost."""
        for name, count in usage_of(facts.get("usage") or {}).items():
            self.usage[name] = self.usage.get(name, 0) + count
        self.say(EventKind.USAGE, "rawResponse/completed", **self.usage)


def _has_findings(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and "findings" in answer
