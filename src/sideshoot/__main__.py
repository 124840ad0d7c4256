"""The command's entry point."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TextIO

GARBAGE_THRESHOLD = 50_000


def main() -> None:
    """Run the command line, and end the process with its exit status."""
    # Starting makes thousands of objects and no garbage: looking for some would be in vain.
    gc.set_threshold(GARBAGE_THRESHOLD)
    from sideshoot.cli.main import main as run  # noqa: PLC0415 - after the line above

    _leave(run())


def _leave(status: int) -> None:
    """End the process at once: taking it down piece by piece costs a tenth of a short command.

    Nothing is lost by that. All output has been flushed, and a store is safe however a process
    ends. Where threads are still at work, they are waited for as usual.
    """
    import threading  # noqa: PLC0415 - it is there already wherever git was run

    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, AttributeError):  # closed, or not there
            _flush(stream)
    if threading.active_count() == 1:
        os._exit(status)
    raise SystemExit(status)


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        # Full, or nobody is there any more. The interpreter would try again at its end, fail, and
        # make its own exit status of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
