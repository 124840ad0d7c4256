"""The event log of a job: a file that only grows, one line of JSON an event."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sideshoot.agents.base import Event

POLL_S = 0.05
"""How often a reader that follows looks for more."""

_TAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it stands in the log."""

    seq: int
    """Counts from 1, without gaps unless a crash tore a line."""
    time: float
    """Seconds since the epoch."""
    kind: str
    """One of `sideshoot.agents.base.EventKind`, or a kind of a newer version's."""
    data: dict[str, Any]
    source: str
    end: int
    """Where the next line begins, in bytes: what to `read` on from."""


class EventLog:
    """The log for writing. One process writes at a time: the one that holds the job's lock."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seq = last_seq(path)
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        # A writer that died may have left a line without its end.
        self._begin = b"\n" if _is_torn(path) else b""

    def append(self, event: Event) -> int:
        """Write an event, and return its sequence number. May be called by any thread.

        :raises OSError: it could not be written, for instance because the disk is full.
        """
        with self._lock:
            record = {
                "seq": self._seq + 1,
                "time": round(self._now(), 6),
                "kind": str(event.kind),
                "data": event.data,
                "source": event.source,
            }
            self._write(json.dumps(record, default=_as_json, separators=(",", ":")).encode())
            self._seq += 1
            return self._seq

    def close(self) -> None:
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        text = self._begin + line + b"\n"
        # In doubt the next line begins with a line end: an empty line harms nobody.
        self._begin = b"\n"
        while text:
            text = text[os.write(self._handle, text) :]
        self._begin = b""


def read(path: Path, offset: int = 0) -> Iterator[Logged]:
    """The events from `offset` on, which is 0 or the `end` of another event.

    Lines that can't be read are passed over, and so is a last line that is not complete yet.
    """
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(offset)
        for line in file:
            offset += len(line)
            if line.endswith(b"\n") and (event := _decoded(line, offset)):
                yield event


def tail(path: Path, count: int) -> list[Logged]:
    """The last events, at most `count`, oldest first; the cost does not grow with the log."""
    size = _size(path)
    length = _TAIL
    while True:
        start = max(size - length, 0)
        found = list(read(path, start))
        # What begins in the middle of a line is no JSON and drops out by itself.
        if len(found) >= count or start == 0:
            return found[-count:] if count else []
        length *= 8


def last_seq(path: Path) -> int:
    """The number of the last event; 0 without any."""
    found = tail(path, 1)
    return found[-1].seq if found else 0


def follow(
    path: Path, offset: int = 0, stop: Callable[[], bool] = lambda: False
) -> Iterator[Logged]:
    """The events from `offset` on, and further ones as they come.

    Ends after the event `finished`, or when `stop()` is true (the worker is gone) and all that was
    written has been read.
    """
    while True:
        last = stop()
        for event in read(path, offset):
            yield event
            offset = event.end
            if event.kind == "finished":
                return
        if last:
            return
        time.sleep(POLL_S)


def _decoded(line: bytes, end: int) -> Logged | None:
    try:
        record = json.loads(line)
        return Logged(
            seq=record["seq"],
            time=record["time"],
            kind=record["kind"],
            data=record["data"],
            source=record.get("source", ""),
            end=end,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    return str(value)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_torn(path: Path) -> bool:
    size = _size(path)
    if size == 0:
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) != b"\n"
