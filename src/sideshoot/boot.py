"""Which run of the machine this is: what is said of it holds no longer after a restart."""

from __future__ import annotations

import contextlib
from pathlib import Path


def boot_id() -> str:
    """What names this run of the machine; another one after a restart."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    import psutil  # noqa: PLC0415 - only where there is no /proc

    return str(int(psutil.boot_time()))
