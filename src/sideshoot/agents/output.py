"""What a program prints, as it comes: as text where it is UTF-8, and never held as a whole."""

from __future__ import annotations

import base64
import codecs
import os
import threading
from typing import IO, TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = 1 << 16
TAIL_BYTES = 4096
"""How much of the end of the output is a command's message."""


class Decoder:
    """Turns pieces of bytes into the `data` of output events; a character may lie across two."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._rest = b""

    def feed(self, piece: bytes, *, final: bool = False) -> dict[str, Any] | None:
        """The event's data, or `None` while there is no whole character."""
        raw, self._rest = self._rest + piece, b""
        try:
            text, used = codecs.utf_8_decode(raw, "strict", final)
        except UnicodeDecodeError:
            encoded = base64.b64encode(raw).decode("ascii")
            text = raw.decode("utf-8", "replace")
            return {"stream": self._stream, "text": text, "base64": encoded}
        self._rest = raw[used:]
        return {"stream": self._stream, "text": text} if text else None


class Tail:
    """The end of what was printed, at most `limit` bytes."""

    def __init__(self, limit: int = TAIL_BYTES) -> None:
        self._limit = limit
        self._bytes = b""

    def add(self, piece: bytes) -> None:
        self._bytes = (self._bytes + piece)[-self._limit - 1 :]

    @property
    def text(self) -> str:
        """As text, from the beginning of a line where something had to be left out."""
        raw = self._bytes
        if len(raw) > self._limit:
            raw = raw[1:] if b"\n" not in raw[:-1] else raw[raw.index(b"\n") + 1 :]
            while raw and raw[0] & 0xC0 == 0x80:  # the middle of a character
                raw = raw[1:]
        return raw.decode("utf-8", "replace")


class Pump:
    """Reads a program's streams to their ends, each in a thread, one event at a time."""

    def __init__(
        self, emit: Callable[[Event], None], on_failure: Callable[[], object] = lambda: None
    ) -> None:
        self._emit = emit
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._muted = False
        self._threads: list[threading.Thread] = []
        self.failure: BaseException | None = None
        """What `emit` raised; what came after that was read and dropped."""
        self.tail = Tail()

    def read(self, stream: IO[bytes], name: str) -> None:
        """Begin to read `stream`."""
        thread = threading.Thread(
            target=self._drain, args=(stream, Decoder(name)), daemon=True, name=name
        )
        self._threads.append(thread)
        thread.start()

    def finish(self, limit_s: float) -> None:
        """Wait for the ends of all streams, at most so many seconds for each; then emit no more."""
        for thread in self._threads:
            thread.join(limit_s)
        with self._lock:
            self._muted = True
        if self.failure is not None:
            raise self.failure

    def _drain(self, stream: IO[bytes], decoder: Decoder) -> None:
        with stream:
            while piece := os.read(stream.fileno(), _PIECE):
                self._hand_over(decoder.feed(piece), piece)
        self._hand_over(decoder.feed(b"", final=True), b"")

    def _hand_over(self, data: dict[str, Any] | None, piece: bytes) -> None:
        with self._lock:
            self.tail.add(piece)
            if data is not None and self.failure is None and not self._muted:
                try:
                    self._emit(Event(EventKind.OUTPUT, data))
                except BaseException as error:  # noqa: BLE001 - raised again where run() waits
                    self.failure = error
                    self._on_failure()
