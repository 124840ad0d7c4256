"""The real command on a terminal of its own, with somebody who answers its question."""

from __future__ import annotations

import os
import pty
import select
import time
from typing import TYPE_CHECKING

from support.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command import Command


def on_terminal(
    sideshoot: Command, answer: bytes, *words: str, asked: Callable[[], object] = lambda: None
) -> tuple[str, int]:
    """Run a command on a terminal of its own, and answer its question.

    :param asked: is called before the answer is given.
    """
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.chdir(sideshoot.cwd)
        os.execv(PROGRAM[0], [*PROGRAM, *words])
    shown, end, told = b"", time.monotonic() + 60, False
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # it is over
                break
            shown += piece
        if b"[y/N]" in shown and not told:
            asked()
            told = bool(os.write(terminal, answer))
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)
