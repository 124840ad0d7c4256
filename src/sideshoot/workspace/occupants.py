"""Whether a process is in a folder, or has something of it open.

Such a process can write there at any time: a server that an agent started, an editor, a shell of the
user's. Processes of other users can't be looked at, and could not write there either.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def is_occupied(folder: Path) -> bool:
    """Whether a process has its working folder, its root or a file there, this process included."""
    inside = os.fsencode(os.path.realpath(folder))
    below = inside + b"/"
    places = _from_proc() if sys.platform == "linux" else _from_psutil()
    return any(place == inside or place.startswith(below) for place in places)


def _from_proc() -> Iterator[bytes]:
    for name in os.listdir(b"/proc"):
        if name.isdigit():
            yield from _places_of(b"/proc/" + name)


def _places_of(process: bytes) -> Iterator[bytes]:
    # proc(5): what each of these leads to, by the name that it has now.
    for link in (b"/cwd", b"/root", b"/exe"):
        yield _aim(process + link)
    try:
        handles = os.listdir(process + b"/fd")
    except OSError:
        return
    for handle in handles:
        yield _aim(process + b"/fd/" + handle)


def _aim(link: bytes) -> bytes:
    try:
        return os.readlink(link)
    except OSError:
        return b""


def _from_psutil() -> Iterator[bytes]:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    for process in psutil.process_iter():
        try:
            yield os.fsencode(process.cwd())
            yield from (os.fsencode(file.path) for file in process.open_files())
        except (psutil.Error, OSError):
            continue
