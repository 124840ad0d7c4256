"""Who listens to an agent's program: what it tells becomes events, one at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import AgentResult, Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGN_OF_LIFE_S = 10.0


class Listener:
    """The part of a turn that is the same for all protocols.

    `settled` is set when nothing is left to wait for: the turn is over, the program is gone, or a
    listener failed.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._muted = False
        self._phase = ""
        self._phase_at = 0.0
        self.settled = threading.Event()
        self.failure: BaseException | None = None
        """What a listener raised."""
        self.message = ""
        """The last message, word for word."""
        self.usage: dict[str, Any] = {}

    def say(self, kind: EventKind, source: str = "", **data: Any) -> None:
        """Emit an event; from any thread, one at a time."""
        self.hand_over(Event(kind, data, source))

    def hand_over(self, event: Event) -> None:
        """The same, with an event that is made already."""
        with self._lock:
            if not self._muted:
                self._emit(event)

    def mute(self) -> None:
        """Emit nothing any more, whatever still comes."""
        with self._lock:
            self._muted = True

    def enter(self, phase: str) -> None:
        """Say what the agent is at: when it changes, and now and then while it lasts."""
        now = time.monotonic()
        if phase != self._phase or now - self._phase_at > _SIGN_OF_LIFE_S:
            self._phase, self._phase_at = phase, now
            self.say(EventKind.PHASE, name=phase)

    def result(self, error: str | None, thread_id: str | None) -> AgentResult:
        """How the turn ended, once its program is gone; from now on nothing is emitted.

        :param error: why it failed, if it did.
        :raises BaseException: what a listener raised.
        """
        self.mute()
        if self.failure is not None:
            raise self.failure
        return AgentResult(
            error is None,
            message=self.message,
            error=error,
            thread_id=thread_id,
            usage=self.usage,
        )

    # -- what the peer's reader calls

    def on_noise(self, line: bytes) -> None:
        self.say(EventKind.RAW, "noise", payload=line.decode("utf-8", "backslashreplace").strip())

    def on_end(self, failure: BaseException | None) -> None:
        self.failure = failure
        self.settled.set()
