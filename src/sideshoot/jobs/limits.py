"""The limits of a job: how long in all, how long without a sign of life, how much output."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Self

from sideshoot.agents.base import EventKind, StopReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event, Stop
    from sideshoot.model import Request

GRACE_S = 30.0
"""How long an agent may take to stop before its processes are ended without it."""


class Limits:
    """Watches while an agent works, and asks for the stop as soon as a limit is passed.

    :param end: ends all processes of the job; called if an agent is still there `grace_s` after
        it was asked to stop.
    """

    def __init__(
        self,
        request: Request,
        stop: Stop,
        end: Callable[[], object],
        *,
        grace_s: float = GRACE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._stop = stop
        self._end = end
        self._grace_s = grace_s
        self._clock = clock
        self._changed = threading.Condition()
        self._begin = self._last = clock()
        self._printed = 0
        self._stopped_at: float | None = None
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="sideshoot-limits", daemon=True)

    def __enter__(self) -> Self:
        self._begin = self._last = self._clock()
        self._stop.on_request(self._note_stop)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()

    def saw(self, event: Event) -> None:
        """Count an event: it is a sign of life, and it takes room."""
        limit = self._request.output_limit
        size = printed_bytes(event) if limit is not None else 0
        with self._changed:
            self._last = self._clock()
            self._printed += size
            passed = limit is not None and self._printed > limit
        if passed:
            self._stop.request(StopReason.OUTPUT_LIMIT)

    def _note_stop(self) -> None:
        with self._changed:
            self._stopped_at = self._clock()
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                reason, left = self._next()
                if self._over:
                    return
                if left is None or left > 0:
                    # An event moves the idle limit away; that is seen when the wait is over.
                    self._changed.wait(left)
                    continue
            if reason is None:
                self._end()
                return
            self._stop.request(reason)

    def _next(self) -> tuple[StopReason | None, float | None]:
        """What comes next, and in how many seconds: a limit, or the end of an agent's patience."""
        now = self._clock()
        if self._stopped_at is not None:
            return None, self._stopped_at + self._grace_s - now
        ends = []
        if self._request.timeout_s is not None:
            ends.append((self._begin + self._request.timeout_s - now, StopReason.TIMED_OUT))
        if self._request.idle_timeout_s is not None:
            ends.append((self._last + self._request.idle_timeout_s - now, StopReason.IDLE))
        if not ends:
            return None, None
        left, reason = min(ends)
        return reason, left


def printed_bytes(event: Event) -> int:
    """How much room an event takes: what a command printed, or the event as it is logged."""
    if event.kind is EventKind.OUTPUT:
        return len(str(event.data.get("text", "")).encode("utf-8", "replace"))
    return len(json.dumps(event.data, default=str))


def limit_passed(request: Request, reason: StopReason) -> str:
    """Which limit ended the agent, in words."""
    if reason is StopReason.TIMED_OUT:
        return f"it was still at work after {_duration(request.timeout_s)}, its limit (--timeout)"
    if reason is StopReason.IDLE:
        limit = _duration(request.idle_timeout_s)
        return f"it gave no sign of life for {limit}, its limit (--idle-timeout)"
    return f"it printed more than {request.output_limit} bytes, its limit (--output-limit)"


def _duration(seconds: float | None) -> str:
    assert seconds is not None
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:g} s"
