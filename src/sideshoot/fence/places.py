"""What of the machine a program inside does not get to see: the places where others listen.

Where sockets usually lie, a program gets a place of its own, with what it needs of the machine's. Those
that lie elsewhere are covered one by one (`sideshoot.fence.sockets`).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.fence import sockets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OWN = tuple(map(Path, sockets.OWN))
"""Places of which a program gets its own."""

# In /run, what programs need: NixOS keeps all of its programs there, systems with a resolver of
# their own the file that names it, desktops the user's disks, containers their secrets.
_KEPT_IN_RUN = (
    "booted-system",
    "current-system",
    "opengl-driver",
    "opengl-driver-32",
    "wrappers",
    "media",
    "mount",
    "secrets",
)
_RESOLVER = Path("/etc/resolv.conf")

_TEMP = Path("/tmp")

_OF_SOCKETS = re.compile(r"\.[A-Za-z0-9]+-unix$|(tmux|ssh|dbus|systemd-private)-")
"""Entries of /tmp in which sockets turn up while a program runs."""

_FOLDERS_OF_SOCKETS = (".ssh/agent",)
"""In the home folder; sockets turn up there while a program runs."""


def is_own(place: Path) -> bool:
    """Whether a program gets its own of what lies there."""
    return any(place == own or own in place.parents for own in OWN)


def kept_places() -> Iterator[Path]:
    """What stays to be seen of a place of which a program gets its own."""
    yield from (Path("/run") / name for name in _KEPT_IN_RUN)
    yield _RESOLVER.resolve()


def needed_places(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where the programs are, and what they belong to."""
    programs = [Path(place) for place in os.get_exec_path(environment) if place.startswith("/")]
    yield from programs
    # Programs of a Python environment, or of npm, are nothing without what lies beside their folder.
    yield from (place.parent for place in programs if place.name in ("bin", ".bin"))
    yield from (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).parent)
    yield Path(__file__).parent.parent
    if home := environment.get("HOME"):
        yield Path(home)


def temporary_places(words: str, *, around: Iterable[Path]) -> Iterator[Path]:
    """What lies in `/tmp` and is to be seen nevertheless, though not written.

    :param words: what the program is told: an entry whose path stands there is shown.
    :param around: places that the program is about: what lies beside them is shown.
    """
    beside = {place.parts[2] for place in around if _TEMP in place.parents}
    try:
        names = [place.name for place in _TEMP.iterdir()]
    except OSError:
        return
    for name in names:
        if name in beside or (f"{_TEMP}/{name}" in words and not _OF_SOCKETS.match(name)):
            yield _TEMP / name


def folders_of_sockets(environment: Mapping[str, str]) -> Iterator[Path]:
    """Folders that hold nothing but sockets."""
    if home := environment.get("HOME"):
        yield from (Path(home) / name for name in _FOLDERS_OF_SOCKETS)
