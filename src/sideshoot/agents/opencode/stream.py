"""The server's stream of events, read in a thread of its own and opened anew when it breaks off."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sideshoot.agents.opencode.client import Client

SILENCE_S = 45.0
"""The server sends a heartbeat every 10 seconds; after so long without one the stream is dead."""
OPEN_S = 60.0
_PAUSE_S = 0.2


class Listener(Protocol):
    """Who takes the events; called in the reader's thread, in order."""

    def on_event(self, kind: str, facts: dict[str, Any]) -> None: ...

    def on_end(self, failure: BaseException) -> None:
        """The above raised `failure`; no more events come."""


class Stream:
    """Hands the events to a listener until it is closed."""

    def __init__(self, client: Client, listener: Listener) -> None:
        self._client = client
        self._listener = listener
        self._closed = threading.Event()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True, name="opencode events")

    def start(self) -> None:
        """Begin to listen; `await_open` says when nothing is missed any more."""
        self._thread.start()

    def await_open(self) -> None:
        """Wait until the server has said that it sends what happens from now on."""
        self._opened.wait(OPEN_S)

    def release(self) -> None:
        """End `await_open`."""
        self._opened.set()

    def close(self) -> None:
        """Take no further events. The thread ends with the server."""
        self._closed.set()
        self.release()

    def _read(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                self._read_once()
            self._closed.wait(_PAUSE_S)

    def _read_once(self) -> None:
        with self._client.events(SILENCE_S) as lines:
            for event in decode(lines):
                if self._closed.is_set():
                    return
                if event.get("type") == "server.connected":
                    self._opened.set()
                self._hand_over(event)

    def _hand_over(self, event: dict[str, Any]) -> None:
        facts = event.get("properties")
        try:
            self._listener.on_event(
                str(event.get("type")), facts if isinstance(facts, dict) else {}
            )
        except BaseException as failure:  # noqa: BLE001 - raised again by who waits for the end
            self.close()
            self._listener.on_end(failure)


def decode(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects in a stream of server-sent events; what is none is passed over.

    An event is the `data` lines up to an empty line (https://html.spec.whatwg.org, 9.2.6).
    """
    data: list[bytes] = []
    for raw in lines:
        line = raw.rstrip(b"\r\n")
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            with contextlib.suppress(ValueError, RecursionError):
                event = json.loads(b"\n".join(data))
                if isinstance(event, dict):
                    yield event
            data = []
