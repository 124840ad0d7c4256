"""Several requests in one message, which are answered in one message once all of them are done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.mcp.protocol import Message


class Batch:
    """Gathers as many answers as a batch has parts; where no part gets one, nothing is said."""

    def __init__(self, parts: int, send: Callable[[list[Message]], None]) -> None:
        self._ahead = parts
        self._send = send
        self._answers: list[Message] = []
        self._lock = threading.Lock()

    def add(self, answer: Message | None) -> None:
        """The answer to one part; `None` where it gets none. Any thread may bring it."""
        with self._lock:
            self._ahead -= 1
            if answer is not None:
                self._answers.append(answer)
            is_whole = self._ahead == 0
        if is_whole and self._answers:
            self._send(self._answers)
