"""Programs that call Sideshoot, run to their end."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from support.command import TIME_LIMIT_S, environment

if TYPE_CHECKING:
    from pathlib import Path


def run_host(folder: Path, *argv: str, **variables: str) -> str:
    """What a command of a host prints, to wherever it prints; it must succeed."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIME_LIMIT_S,
    )
    assert done.returncode == 0, done
    return done.stdout.decode()
