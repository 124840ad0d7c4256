"""The peer: answers find their calls, and no call waits for what can't come."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import Stop, StopReason
from sideshoot.agents.rpc import NoAnswer, Peer, PeerGone, Refused, Stopped, decode
from support.processes import TIME_LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listener:
    """Notes what the peer says unasked."""

    def __init__(self) -> None:
        self.notices: list[Any] = []
        self.ended = threading.Event()
        self.failure: BaseException | None = None

    def on_notice(self, method: str, params: Any) -> None:
        self.notices.append((method, params))
        if method == "explode":
            raise OSError("no space")

    def on_request(self, method: str, params: Any) -> Any:
        return {"to": method, "echo": params}

    def on_noise(self, line: bytes) -> None:
        self.notices.append(line)

    def on_end(self, failure: BaseException | None) -> None:
        self.failure = failure
        self.ended.set()


class Wire:
    """A peer with the test at the other end."""

    def __init__(self) -> None:
        theirs, self.say_to = os.pipe()
        self.heard_from, ours = os.pipe()
        self.listener = Listener()
        self.peer = Peer(os.fdopen(theirs, "rb"), os.fdopen(ours, "wb"), self.listener)
        self.lines = os.fdopen(self.heard_from, "rb")
        self.peer.start()

    def say(self, message: Any) -> None:
        os.write(self.say_to, json.dumps(message).encode() + b"\n")

    def hear(self) -> Any:
        return json.loads(self.lines.readline())

    def close(self) -> None:
        if self.say_to >= 0:
            os.close(self.say_to)
        self.say_to = -1


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()
    wire.peer.hang_up()
    assert wire.listener.ended.wait(TIME_LIMIT_S)
    wire.lines.close()


def in_thread(wire: Wire, **how: Any) -> tuple[threading.Thread, list[Any]]:
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(wire.peer.call("dig", {}, **{"timeout_s": TIME_LIMIT_S, **how}))
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, outcome


def test_answers_find_their_calls_in_any_order(wire: Wire) -> None:
    first, one = in_thread(wire)
    request = wire.hear()
    second, two = in_thread(wire)
    later = wire.hear()
    assert "jsonrpc" not in request
    wire.say({"id": later["id"], "result": "two"})
    wire.say({"id": request["id"], "error": {"code": -1, "message": "no spade"}})
    first.join(TIME_LIMIT_S)
    second.join(TIME_LIMIT_S)
    assert two == ["two"]
    assert isinstance(one[0], Refused)
    assert str(one[0]) == "dig: no spade"


def test_a_question_is_answered_while_a_call_waits(wire: Wire) -> None:
    thread, outcome = in_thread(wire)
    request = wire.hear()
    wire.say({"id": request["id"], "method": "ask", "params": {"same": "id"}})
    assert wire.hear() == {"id": request["id"], "result": {"to": "ask", "echo": {"same": "id"}}}
    wire.say({"id": request["id"], "result": 1})
    thread.join(TIME_LIMIT_S)
    assert outcome == [1]


def test_a_call_ends_with_its_time(wire: Wire) -> None:
    with pytest.raises(NoAnswer, match="no answer to dig"):
        wire.peer.call("dig", {}, timeout_s=0.05)


def test_a_call_ends_when_it_is_told_to_stop(wire: Wire) -> None:
    stop = Stop()
    thread, outcome = in_thread(wire, stop=stop)
    wire.hear()
    stop.request(StopReason.CANCELLED)
    thread.join(TIME_LIMIT_S)
    assert isinstance(outcome[0], Stopped)


def test_the_end_in_the_middle_of_a_call_is_told_at_once(wire: Wire) -> None:
    thread, outcome = in_thread(wire)
    wire.hear()
    wire.close()
    thread.join(TIME_LIMIT_S)
    assert isinstance(outcome[0], PeerGone)
    with pytest.raises(PeerGone):
        wire.peer.call("dig", {}, timeout_s=TIME_LIMIT_S)


def test_a_peer_that_no_longer_reads(wire: Wire) -> None:
    wire.lines.close()
    with pytest.raises(PeerGone):
        wire.peer.call("dig", {"much": "x" * 1_000_000}, timeout_s=TIME_LIMIT_S)


def test_what_a_listener_raises_ends_the_conversation(wire: Wire) -> None:
    thread, outcome = in_thread(wire)
    wire.hear()
    wire.say({"method": "explode"})
    thread.join(TIME_LIMIT_S)
    assert isinstance(outcome[0], PeerGone)
    assert wire.listener.ended.wait(TIME_LIMIT_S)
    assert isinstance(wire.listener.failure, OSError)


@pytest.mark.parametrize(
    "line",
    [
        b'{"method": "x"}',
        b'\x1b[0m{"method": "x"}\x1b[K\r\n',
        b'\x1b]8;;http://a\x1b\\\x1b[1;31m{"method":\x1b[0m "x"}',
        b'12:00 INFO {"method": "x"}\n',
    ],
)
def test_a_message_is_found_in_its_line(line: bytes) -> None:
    assert decode(line) == {"method": "x"}


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"null", b"[]", b'"x"', b"{}", b'{"method"', b"\xff", b"x {y} z"]
)
def test_what_is_no_message_is_none(line: bytes) -> None:
    assert decode(line) is None


def test_an_escape_inside_a_string_stays(wire: Wire) -> None:
    assert decode(json.dumps({"id": 1, "result": "\x1b[31mred"}).encode()) == {
        "id": 1,
        "result": "\x1b[31mred",
    }
