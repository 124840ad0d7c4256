"""Ports for a job's programs: a block of free ones, another for each job that runs at the same time.

A block is a job's for as long as its worker holds the lock of a file in the user's state folder. So
blocks differ between repositories, too, and are free again however the worker dies.
"""

from __future__ import annotations

import contextlib
import os
import socket
import zlib
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.home import state_folder
from sideshoot.lock import acquire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST, LAST = 20_000, 32_000
"""Below those that systems give to outgoing connections (32768 on Linux, 49152 elsewhere)."""

SIZE = 10
VARIABLE = "SIDESHOOT_PORT"


@contextlib.contextmanager
def reserved_ports(job_id: str) -> Iterator[dict[str, str]]:
    """The variables that name a job's ports: `SIDESHOOT_PORT`, `SIDESHOOT_PORT_1`, …

    There are none where no block is free or nothing can be reserved; a job can do without.
    """
    handle = None
    variables = {}
    with contextlib.suppress(OSError, CannotStart):
        folder = _folder()
        for first in _blocks(job_id):
            handle = acquire(folder / str(first))
            if handle is not None and all(map(_is_free, range(first, first + SIZE))):
                variables = _named(first)
                break
            if handle is not None:
                os.close(handle)
                handle = None
    try:
        yield variables
    finally:
        if handle is not None:
            os.close(handle)


def _blocks(job_id: str) -> Iterator[int]:
    """The blocks, each job's in an order that begins elsewhere."""
    count = (LAST - FIRST) // SIZE
    start = zlib.crc32(job_id.encode())
    yield from (FIRST + (start + number) % count * SIZE for number in range(count))


def _named(first: int) -> dict[str, str]:
    further = {f"{VARIABLE}_{number}": str(first + number) for number in range(1, SIZE)}
    return {VARIABLE: str(first), **further}


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        # Otherwise a port that was let go a moment ago counts as taken.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


def _folder() -> Path:
    folder = state_folder("ports") / "ports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
