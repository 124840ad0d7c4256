"""Which process is meant: a pid alone is not enough, for it is given to another one day."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from sideshoot.boot import boot_id


def started_at(pid: int) -> float | None:
    """When a process began, on a clock that only this run of the machine has; `None` if it is gone."""
    if sys.platform == "linux":
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # proc(5): field 22, counted after the name, which may hold anything but ends with `)`.
        return float(text.rpartition(b")")[2].split()[19])
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def kill(pid: int | None, started: float | None, boot: str | None) -> bool:
    """End a process at once, if it is the one that is meant; whether it was."""
    if pid is None or started is None or boot != boot_id():
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return _kill(pid, started)
    return False


def _kill(pid: int, started: float) -> bool:
    if not hasattr(os, "pidfd_open"):
        if started_at(pid) != started:
            return False
        os.kill(pid, signal.SIGKILL)
        return True
    # The descriptor stays with the process that it was opened for, whatever becomes of the pid.
    handle = os.pidfd_open(pid)
    try:
        if started_at(pid) != started:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)
    return True
