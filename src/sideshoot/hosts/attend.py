"""Be there for as long as a host works in a copy: what the worker of such a job runs as its agent.

The host makes the copy's changes itself, and nothing tells when it is done but its end, or its own word.
Run as `python -m sideshoot.hosts.attend PID DOOR`: it makes DOOR, a named pipe, once it is there, and ends when
the process PID has ended or when somebody writes into DOOR.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from pathlib import Path

_MODULE = "sideshoot.hosts.attend"
_STEP_MS = 2000
"""How often is looked whether the host is there, where the kernel can't tell of its end."""


def attending(pid: int, door: Path) -> tuple[str, ...]:
    """The command that attends to the process `pid`."""
    return (sys.executable, "-P", "-m", _MODULE, str(pid), str(door))


def door_of(command: tuple[str, ...] | None) -> Path | None:
    """The named pipe of a command that attends to a host; `None` for other commands."""
    if command is None or len(command) != 6 or command[1:4] != ("-P", "-m", _MODULE):
        return None
    return Path(command[5])


def let_go(door: Path) -> None:
    """Tell who attends that the host is done; if nobody does any more, nothing happens."""
    with suppress(OSError):
        descriptor = os.open(door, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(descriptor, b".")
        finally:
            os.close(descriptor)


def attend(pid: int, door: Path) -> None:
    """Return when the process has ended, or somebody has knocked."""
    os.mkfifo(door, 0o600)
    try:
        # Opened for both, so that it does not count as closed before anybody has come.
        knocks = os.open(door, os.O_RDWR | os.O_NONBLOCK)
        _await(pid, knocks)
    finally:
        door.unlink(missing_ok=True)


def _await(pid: int, knocks: int) -> None:
    poll = select.poll()
    poll.register(knocks, select.POLLIN)
    step: int | None = _STEP_MS
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):  # an old kernel, or it has ended
            poll.register(os.pidfd_open(pid), select.POLLIN)
            step = None
    while not poll.poll(step) and _is_there(pid):
        pass


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    attend(int(sys.argv[1]), Path(sys.argv[2]))
