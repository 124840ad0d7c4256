"""Wait for jobs on a client's behalf, and tell it how they get on."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sideshoot.cli.references import is_active
from sideshoot.cli.storylines import output_bytes, story_lines
from sideshoot.errors import SideshootError
from sideshoot.jobs import service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.cli.place import Place
    from sideshoot.mcp.exchange import Exchange
    from sideshoot.model import Job

SIGN_OF_LIFE_S = 10.0
"""How often a client is told that a job that says nothing still runs: clients give up on silence."""


def watched(
    exchange: Exchange,
    place: Place,
    ids: Sequence[str],
    *,
    first: bool = False,
    timeout_s: float | None = None,
) -> list[Job]:
    """The jobs as they are when all are finished, nobody waits any more, or the time is over.

    :param first: when one is finished.
    """
    store = place.store
    ahead = [job_id for job_id in ids if is_active(store.get(job_id))]
    ended: SimpleQueue[str | None] = SimpleQueue()
    stop = threading.Event()
    exchange.on_end(lambda: ended.put(None))
    enough = min(1, len(ahead)) if first else len(ahead)
    if first and len(ahead) < len(ids):
        enough = 0
    for job_id in ahead if enough else ():
        watcher = _Watcher(exchange, place, job_id, stop, ended, is_alone=len(ids) == 1)
        threading.Thread(target=watcher.run, name=f"watch {job_id}", daemon=True).start()
    _await(exchange, ended, enough, timeout_s)
    stop.set()
    return [store.get(job_id) for job_id in ids]


def _await(
    exchange: Exchange, ended: SimpleQueue[str | None], enough: int, timeout_s: float | None
) -> None:
    begun = time.monotonic()
    end = None if timeout_s is None else begun + timeout_s
    while enough and not exchange.is_over:
        left = SIGN_OF_LIFE_S if end is None else min(end - time.monotonic(), SIGN_OF_LIFE_S)
        if left <= 0:
            return
        try:
            enough -= ended.get(timeout=left) is not None
        except Empty:
            exchange.tell(f"still at work after {time.monotonic() - begun:.0f} s", at_once=True)


class _Watcher:
    """Follows one job, in a thread of its own."""

    def __init__(
        self,
        exchange: Exchange,
        place: Place,
        job_id: str,
        stop: threading.Event,
        ended: SimpleQueue[str | None],
        *,
        is_alone: bool,
    ) -> None:
        self._exchange = exchange
        self._place = place
        self._job_id = job_id
        self._stop = stop
        self._ended = ended
        self._name = "" if is_alone else f"{job_id}: "

    def run(self) -> None:
        """Tell what happens; in the end, say that the job is finished."""
        repository, job_id = self._place.repository, self._job_id
        # A record that can't be read is told by the call itself, which reads it next.
        with suppress(SideshootError, OSError):
            for event in service.follow(repository, job_id, until=self._stop.is_set):
                if line := _line_of(event.kind, event.data):
                    self._exchange.tell(f"{self._name}{line}")
            if not self._stop.is_set():
                service.wait(repository, [job_id])
        self._ended.put(job_id)


def _line_of(kind: str, data: Mapping[str, Any]) -> str | None:
    """The last thing that there is to tell of an event."""
    if kind == "output":
        lines = output_bytes(data).decode(errors="replace").splitlines()
    else:
        lines = story_lines(kind, data)
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
