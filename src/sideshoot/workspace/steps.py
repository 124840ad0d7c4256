"""The steps at which a crash is tried.

`reached` does nothing, unless a test has asked by the environment that the process dies there, as
it would if somebody killed it.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "SIDESHOOT_CRASH_AT"

NAMES = (
    "run.recorded",
    "run.base",
    "run.planned",
    "run.guarded",
    "run.opened",
    "run.agent-done",
    "run.captured",
    "open.registered",
    "open.filled",
    "keep.prepared",
    "keep.journalled",
    "keep.swapping",
    "keep.swapped",
    "keep.indexed",
    "keep.settled",
    "keep.decided",
    "discard.decided",
    "discard.renamed",
    "discard.unregistered",
    "pool.offered",
    "pool.released",
    "pool.cleaned",
    "pool.taken",
    "pool.brought",
    "clone.quarantined",
    "clone.taken",
    "clone.settled",
    "clone.copied",
)


def reached(name: str) -> None:
    """Die here by SIGKILL if a test asked for it."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
