"""Ctrl-C, a hang-up and the like, while a job runs in the process that they are sent to."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

WORDS = {
    signal.SIGINT: "interrupted by Ctrl-C",
    signal.SIGTERM: "ended by a signal (SIGTERM)",
    signal.SIGHUP: "the terminal went away (SIGHUP)",
}


class Interrupts:
    """Turns the first signal into one call and any further one into another.

    Signals that the caller ignores stay ignored (`nohup`), and outside the main thread there is
    nothing to turn.
    """

    def __init__(self, first: Callable[[], None], further: Callable[[], object]) -> None:
        self._first = first
        self._further = further
        self._before: dict[signal.Signals, Any] = {}
        self.seen: signal.Signals | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _caught(self, number: int, _: FrameType | None) -> None:
        call = self._first if self.seen is None else self._further
        self.seen = self.seen or signal.Signals(number)
        # Not here: this may run in the middle of anything, and would wait for its own locks.
        threading.Thread(target=call, name="sideshoot-interrupt", daemon=True).start()


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Hold signals back until the end of the block, from this thread and all that it starts.

    Ctrl-C goes to every process of a terminal: it would end git in the middle of saving.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
