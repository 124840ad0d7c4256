"""One request of the client's while it is answered: what it may be told, and whether it still cares."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

from sideshoot.mcp.protocol import meta_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sideshoot.mcp.catalogue import Tool
    from sideshoot.mcp.protocol import Message

_PROGRESS_S = 0.1
"""No more often than this is a client told of progress."""

# What clients give as the reason when they have waited too long. The TypeScript SDK says that it timed
# out; Codex says the same as when the user stops it, so that there the job goes on either way.
_IMPATIENT = re.compile(r"time(d)?[ -]?out|cancelled by caller", re.IGNORECASE)


class Exchange:
    """A request, and the client that waits for its answer."""

    def __init__(
        self,
        params: Message,
        *,
        session: str,
        tools: Mapping[str, Tool],
        notify: Callable[[str, Message], None],
        ask_for_roots: Callable[[Exchange], Sequence[Path]],
    ) -> None:
        self.params = params
        self.session = session
        """The session that jobs of this client belong to."""
        self.tools = tools
        """The tools that this client has."""
        self._notify = notify
        self._ask_for_roots = ask_for_roots
        self._token = meta_of(params).get("progressToken")
        self._steps = 0
        self._told_at = 0.0
        self._lock = threading.Lock()
        self._at_end: list[Callable[[], None]] = []
        self.is_over = False
        """Nobody waits for the answer any more."""
        self.is_stopped = False
        """And the user wants what it began to stop."""

    def roots(self) -> Sequence[Path]:
        """The folders that the client works in, as far as it says."""
        return self._ask_for_roots(self)

    def tell(self, text: str, *, at_once: bool = False) -> None:
        """Let the client know how far it is, if it wants to know; what comes in a rush is left out."""
        if self._token is None:
            return
        with self._lock:
            now = time.monotonic()
            if self.is_over or (now - self._told_at < _PROGRESS_S and not at_once):
                return
            self._told_at = now
            self._steps += 1
            facts: dict[str, Any] = {"progressToken": self._token, "progress": self._steps}
            self._notify("notifications/progress", {**facts, "message": text})

    def on_end(self, call: Callable[[], None]) -> None:
        """Have `call` made once nobody waits any more; at once if that is so already."""
        with self._lock:
            if not self.is_over:
                self._at_end.append(call)
                return
        call()

    def finish(self) -> bool:
        """It is answered; whether somebody still waits for that. Nothing is told any more."""
        with self._lock:
            waits, self.is_over = not self.is_over, True
        return waits

    def cancel(self, reason: str) -> None:
        """The client wants no answer: the user stopped it, or it has waited for too long."""
        self._end(is_stopped=_IMPATIENT.search(reason) is None)

    def leave(self) -> None:
        """The client is gone. What it began goes on without it."""
        self._end(is_stopped=False)

    def _end(self, *, is_stopped: bool) -> None:
        with self._lock:
            if self.is_over:
                return
            self.is_over, self.is_stopped = True, is_stopped
            calls, self._at_end = self._at_end, []
        for call in calls:
            call()
