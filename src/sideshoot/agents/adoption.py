"""Orphans: while a program of ours runs, the kernel gives its orphaned descendants to us.

A process whose parent dies goes to the nearest ancestor that has asked for orphans, as of Linux
3.4 (`PR_SET_CHILD_SUBREAPER`, prctl(2)). Other systems have no such thing; there the marker in a
process's environment has to do.
"""

from __future__ import annotations

import sys
import threading

_PR_SET_CHILD_SUBREAPER = 36


class Adoption:
    """Whether this process takes orphans, and the programs that it does so for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self.programs: set[int] = set()
        """The pids that this process started as programs: children, but no orphans."""

    def begin(self) -> None:
        """Take orphans, until as many calls of `end`."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                _ask_for_orphans(wanted=True)

    def end(self, program: int | None = None) -> None:
        with self._lock:
            self.programs.discard(program or 0)
            self._users -= 1
            if self._users == 0:
                _ask_for_orphans(wanted=False)


ADOPTION = Adoption()


def _ask_for_orphans(*, wanted: bool) -> None:
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - slow, and needed only where a program is started

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)
