"""Ctrl-C, a hang-up and the like, while a job runs in the process that they are sent to."""

from __future__ import annotations

import contextlib
import os
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
    """Turns the first signal into one call and any further one into another, in a thread of its own.

    Python runs handlers in the main thread alone, and only when that comes back to Python: if the
    kernel gives the signal to another thread, a main thread that waits for a lock is not woken. So
    what acts is a thread that reads the pipe to which the interpreter writes each signal at once.

    Signals that the caller ignores stay ignored (`nohup`), and outside the main thread there is
    nothing to turn.
    """

    def __init__(self, first: Callable[[], object], further: Callable[[], object]) -> None:
        self._first = first
        self._further = further
        self._before: dict[signal.Signals, Any] = {}
        self._thread = threading.Thread(target=self._act, name="sideshoot-signals", daemon=True)
        self.seen: signal.Signals | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._thread.start()
        self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, _nothing)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._thread.is_alive():
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        os.write(self._write, b"\0")
        self._thread.join()
        os.close(self._read)
        os.close(self._write)

    def _act(self) -> None:
        while number := os.read(self._read, 1)[0]:
            if number not in self._before:
                continue
            call = self._first if self.seen is None else self._further
            self.seen = self.seen or signal.Signals(number)
            call()


def _nothing(_: int, __: FrameType | None) -> None:
    """Being a handler at all keeps the signal from ending us."""


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
