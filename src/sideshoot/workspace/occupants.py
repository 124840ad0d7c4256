"""Whether somebody is in a folder: a process, or a container that the folder is mounted in.

They can write there at any time: a server that an agent started, an editor, a shell of the user's.
Processes of other users can't be looked at, but what is mounted for them can.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sideshoot.workspace.mounts import mounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def is_occupied(folder: Path) -> bool:
    """Whether a process has its working folder, its root or a file there, this process included."""
    inside = os.fsencode(os.path.realpath(folder))
    below = inside + b"/"
    places = _from_proc() if sys.platform == "linux" else _from_psutil()
    return any(place == inside or place.startswith(below) for place in places)


def is_mounted(folder: Path) -> bool:
    """Whether the folder, or something in it, is mounted in another place, or for another process.

    It stays mounted there under whatever name. To find that out all processes are asked, which takes a
    while. Only on Linux it can be told.
    """
    try:
        device, path = _in_its_file_system(os.fsencode(os.path.realpath(folder)))
        names = [name for name in os.listdir(b"/proc") if name.isdigit()]
    except (OSError, ValueError):
        return False
    return any(
        mount.device == device and (mount.root + b"/").startswith(path + b"/")
        for name in names
        for mount in mounts(name)
    )


def _in_its_file_system(path: bytes) -> tuple[bytes, bytes]:
    """The device that a path lies on, and its way from the root of that."""
    holding = [mount for mount in mounts() if (path + b"/").startswith(_slashed(mount.point))]
    nearest = max(holding, key=lambda mount: len(_slashed(mount.point)))
    below = path[len(_slashed(nearest.point)) :]
    return nearest.device, os.path.normpath(_slashed(nearest.root) + below)


def _slashed(path: bytes) -> bytes:
    return path.rstrip(b"/") + b"/"


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
