"""The folders that a client works in, which it is asked for when they are first needed."""

from __future__ import annotations

import itertools
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sideshoot.mcp.folders import paths_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sideshoot.mcp.exchange import Exchange
    from sideshoot.mcp.protocol import Message

PATIENCE_S = 5.0
"""How long a client may take to say where it works; after that our own folder counts."""

_ASKED = "roots"

_ANSWERED_TWICE = ("tools/call", "resources/read")
"""What may be answered with a question, as of 2026-07-28."""


class InputNeeded(Exception):
    """A client without a handshake has to send its request again, with what we ask for."""

    @property
    def fields(self) -> Message:
        """The result that asks."""
        asked = {_ASKED: {"method": "roots/list", "params": {}}}
        return {"resultType": "input_required", "inputRequests": asked}


class Roots:
    """Asks a client for its folders, and remembers them until it says that they have changed."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._offered = False
        self._known: Sequence[Path] | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[str, SimpleQueue[Message]] = {}

    def learn(self, capabilities: Any) -> None:
        """What the client said at the handshake that it can do."""
        self._offered = _offers(capabilities)

    def forget(self) -> None:
        """They have changed."""
        self._known = None

    def asker(
        self, method: str, capabilities: Message | None
    ) -> Callable[[Exchange], Sequence[Path]]:
        """How the client of a request is asked.

        :param capabilities: what a request without a handshake says that its client can do.
        """
        if capabilities is None:
            return lambda _: self._asked()
        can_be_asked = method in _ANSWERED_TWICE and _offers(capabilities)
        return _ask_in_answer if can_be_asked else lambda _: ()

    def hear(self, answer: Message) -> None:
        """An answer of the client's; one that nobody waits for is passed over."""
        number = answer.get("id")
        waiting = self._waiting.get(number) if isinstance(number, str) else None
        if waiting is not None:
            waiting.put(answer)

    def give_up(self) -> None:
        """No answer will come any more."""
        for waiting in [*self._waiting.values()]:
            waiting.put({})

    def _asked(self) -> Sequence[Path]:
        if not self._offered:
            return ()
        with self._lock:  # so that calls that come together ask once
            if self._known is None:
                self._known = self._ask()
            return self._known

    def _ask(self) -> Sequence[Path]:
        number = f"{_ASKED}-{next(self._numbers)}"
        waiting = self._waiting[number] = SimpleQueue()
        self._send({"id": number, "method": "roots/list"})
        try:
            return paths_of(waiting.get(timeout=PATIENCE_S).get("result"))
        except Empty:
            return ()
        finally:
            del self._waiting[number]


def _offers(capabilities: Any) -> bool:
    return isinstance(capabilities, dict) and isinstance(capabilities.get("roots"), dict)


def _ask_in_answer(exchange: Exchange) -> Sequence[Path]:
    given = exchange.params.get("inputResponses")
    if not isinstance(given, dict) or _ASKED not in given:
        raise InputNeeded
    return paths_of(given[_ASKED])
