"""The limits of a job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import Event, EventKind, Stop, StopReason
from sideshoot.jobs.limits import Limits, limit_passed
from sideshoot.model import Request

if TYPE_CHECKING:
    from collections.abc import Callable


def limits(stop: Stop, end: Callable[[], object] = lambda: None, **facts: Any) -> Limits:
    grace_s = facts.pop("grace_s", 60.0)
    return Limits(Request("a", **{"timeout_s": None, **facts}), stop, end, grace_s=grace_s)


def output(text: str) -> Event:
    return Event(EventKind.OUTPUT, {"stream": "stdout", "text": text})


def test_without_limits_nothing_stops() -> None:
    stop = Stop()
    with limits(stop) as watch:
        watch.saw(output("x" * 10_000))
        assert not stop.wait(0.05)


def test_the_wall_clock() -> None:
    stop = Stop()
    with limits(stop, timeout_s=0.05) as watch:
        watch.saw(output("still there"))
        assert stop.wait(60)
    assert stop.reason is StopReason.TIMED_OUT


def test_idleness() -> None:
    stop = Stop()
    with limits(stop, timeout_s=60.0, idle_timeout_s=0.05):
        assert stop.wait(60)
    assert stop.reason is StopReason.IDLE


def test_output_is_counted_in_bytes() -> None:
    stop = Stop()
    with limits(stop, output_limit=10) as watch:
        watch.saw(output("é" * 5))
        assert not stop.requested
        watch.saw(output("x"))
        assert stop.requested
    assert stop.reason is StopReason.OUTPUT_LIMIT


def test_other_events_take_room_too() -> None:
    stop = Stop()
    with limits(stop, output_limit=30) as watch:
        watch.saw(Event(EventKind.MESSAGE, {"text": "x" * 40}))
        assert stop.requested


def test_an_agent_that_will_not_stop_is_ended() -> None:
    stop, ended = Stop(), threading.Event()
    with limits(stop, ended.set, grace_s=0.05):
        stop.request(StopReason.CANCELLED)
        assert ended.wait(60)


def test_an_agent_that_stops_is_not_ended() -> None:
    stop, ended = Stop(), threading.Event()
    with limits(stop, ended.set, grace_s=60.0):
        stop.request(StopReason.CANCELLED)
    assert not ended.is_set()


@pytest.mark.parametrize(
    ("seconds", "words"), [(1800.0, "30 min"), (90.0, "90 s"), (0.5, "0.5 s"), (60.0, "1 min")]
)
def test_a_limit_is_told_in_words(seconds: float, words: str) -> None:
    assert f" {words}," in limit_passed(Request("a", timeout_s=seconds), StopReason.TIMED_OUT)
    idle = limit_passed(Request("a", idle_timeout_s=seconds), StopReason.IDLE)
    assert f" {words}," in idle
