"""One turn of a conversation with Gemini CLI, as its events tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import EventKind
from sideshoot.agents.gemini.faults import explain
from sideshoot.agents.gemini.tools import GeminiUse, why_refused
from sideshoot.agents.listener import Listener
from sideshoot.agents.rpc import METHOD_NOT_FOUND, Refused
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event, Task

    Facts = dict[str, Any]

# What a stream of the provider's looks like that ended before its first word: Gemini CLI 0.61.0
# calls it a success.
_NO_WORD = "the connection to the model broke off before it said a word; try again"


class Turn(Listener):
    """Takes what Gemini CLI says; knows how the turn went."""

    def __init__(self, emit: Callable[[Event], None], task: Task) -> None:
        super().__init__(emit)
        self._task = task
        self._top = f"{task.top}/"
        self._uses: dict[str, GeminiUse] = {}
        self._pieces: list[str] = []
        self._told = ""
        self._answered = False
        self._result: Facts | None = None
        self._takers: dict[str, Callable[[Facts], None]] = {
            "error": self._hear_error,
            "init": self._begin,
            "message": self._hear_message,
            "result": self._end,
            "tool_result": self._hear_result,
            "tool_use": self._hear_use,
        }
        self.thread_id: str | None = None

    @property
    def over(self) -> bool:
        """Whether Gemini CLI said that it is. Its exit status is 0 also where it did not."""
        return self._result is not None

    def why_failed(self, exit_status: int | None) -> str | None:
        """Why it failed, if it did, once it is over."""
        result = self._result or {}
        if result.get("status") == "success" and not exit_status:
            return None if self._answered else _NO_WORD
        return explain(result, exit_status, self._told)

    # -- what the peer's reader calls

    def on_request(self, method: str, params: Any) -> Any:  # noqa: ARG002 - it has no requests
        raise Refused(method, METHOD_NOT_FOUND, f"{method} is not supported")

    def on_notice(self, method: str, params: Any) -> None:
        if method != "message":
            self._complete_message()
        take = self._takers.get(method)
        if take is not None:
            take(params)
        else:
            self.say(EventKind.RAW, method, payload=params)

    def on_end(self, failure: BaseException | None) -> None:
        if failure is None:
            self._complete_message()
        super().on_end(failure)

    # -- what it says

    def _begin(self, facts: Facts) -> None:
        self.thread_id = facts.get("session_id")
        model = self._task.model or facts.get("model")
        self.say(EventKind.STARTED, "init", thread_id=self.thread_id, model=model, effort=None)

    def _hear_message(self, facts: Facts) -> None:
        """A message comes in pieces, and ends where anything else begins."""
        if facts.get("role") != "assistant":
            return
        self.enter("writing")
        self._pieces.append(str(facts.get("content") or ""))
        if not facts.get("delta"):
            self._complete_message()

    def _complete_message(self) -> None:
        text, self._pieces = "".join(self._pieces), []
        if text.strip():
            self.message = text
            self._answered = True
            self.say(EventKind.MESSAGE, "message", text=text, final=False)

    def _hear_use(self, facts: Facts) -> None:
        use = self._uses[str(facts.get("tool_id"))] = GeminiUse.of(facts)
        self._answered = False
        self.enter("working")
        self.hand_over(use.begun(self._top))

    def _hear_result(self, facts: Facts) -> None:
        use = self._uses.pop(str(facts.get("tool_id")), None)
        if use is None:
            return
        if why := why_refused(facts):
            self.say(EventKind.WARNING, "refused", text=f"refused {use.in_words()} ({why})")
        self.hand_over(use.ended(self._top, facts))

    def _hear_error(self, facts: Facts) -> None:
        text = one_line(facts.get("message") or "")
        if facts.get("severity") != "warning":
            self._told = text
        self.say(EventKind.WARNING, "error", text=text)

    def _end(self, facts: Facts) -> None:
        self._result = facts
        self.usage = usage_of(facts.get("stats"))
        if self.usage:
            self.say(EventKind.USAGE, "result", **self.usage)
        self.settled.set()


def usage_of(stats: Any) -> Facts:
    """The counts of a run under the names that all agents share."""
    names = {
        "input_tokens": "input_tokens",
        "cached_input_tokens": "cached",
        "output_tokens": "output_tokens",
        "total_tokens": "total_tokens",
    }
    counts = stats if isinstance(stats, dict) else {}
    return {name: counts[theirs] for name, theirs in names.items() if theirs in counts}
