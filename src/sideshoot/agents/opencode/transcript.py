"""What the model has said and done so far: each thing told once, and words when it is known what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind
from sideshoot.agents.opencode.parts import PHASES, event_of, is_over

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    Facts = dict[str, Any]

_PHASES = {"reasoning": "thinking", "text": "writing"}


class Transcript:
    """Takes the parts of the model's messages, as often as they come."""

    def __init__(
        self, tell: Callable[[Event], None], enter: Callable[[str], None], top: str
    ) -> None:
        """:param top: the workspace's top folder with a slash."""
        self._tell = tell
        self._enter = enter
        self._top = top
        self._texts: dict[str, dict[str, str]] = {}
        self._held: dict[str, list[str]] = {}
        self._kinds: dict[str, str] = {}
        self._told: set[tuple[str, bool]] = set()
        self._complete: set[str] = set()
        self.acted = False
        """Whether any tool was used."""

    def add(self, part: Facts, message: str) -> None:
        """A part of `message` as it is now."""
        kind = str(part.get("type"))
        self._kinds[str(part.get("id"))] = kind
        match kind:
            case "text":
                self._add_text(part, message)
            case "reasoning":
                self._add_reasoning(part)
            case "tool":
                self._add_tool(part, message)

    def complete(self, message: str, *, final: bool) -> bool:
        """Nothing more comes in `message`; whether that is news.

        :param final: whether the model said that it is done.
        """
        self._release(message, final=final)
        first = message not in self._complete
        self._complete.add(message)
        return first

    def last_text(self, messages: Container[str]) -> str:
        """What the last of these messages says that says anything."""
        said = [texts for name, texts in self._texts.items() if name in messages]
        return "\n\n".join(said[-1].values()) if said else ""

    def phase_of(self, part_id: str) -> str:
        """What the agent is at while this part grows."""
        return _PHASES.get(self._kinds.get(part_id, ""), "working")

    def _add_text(self, part: Facts, message: str) -> None:
        text = str(part.get("text") or "")
        if part.get("synthetic") or part.get("ignored") or not text.strip():
            return
        self._texts.setdefault(message, {})[str(part.get("id"))] = text
        if (part.get("time") or {}).get("end") and self._is_new(part, over=True):
            self._held.setdefault(message, []).append(text)
            if message in self._complete:
                self._release(message, final=True)

    def _add_reasoning(self, part: Facts) -> None:
        text = str(part.get("text") or "")
        if (part.get("time") or {}).get("end") and text and self._is_new(part, over=True):
            self._tell(Event(EventKind.REASONING, {"text": text}, "reasoning"))

    def _add_tool(self, part: Facts, message: str) -> None:
        self._release(message, final=False)
        event, over = event_of(part, self._top), is_over(part)
        self.acted = self.acted or over
        if event is None or not self._is_new(part, over=over):
            return
        if not over:
            self._enter(PHASES.get(str(part.get("tool")), "working"))
        self._tell(event)

    def _release(self, message: str, *, final: bool) -> None:
        """Tell what the model said, now that it is known whether it went on after that."""
        for text in self._held.pop(message, []):
            self._tell(Event(EventKind.MESSAGE, {"text": text, "final": final}, "text"))

    def _is_new(self, part: Facts, *, over: bool) -> bool:
        key = (str(part.get("id")), over)
        if key in self._told:
            return False
        self._told.add(key)
        return True
