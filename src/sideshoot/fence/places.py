"""What of the machine a program inside does not get to see: what other programs listen on.

A read-only mount keeps nobody from connecting to a socket, and many a socket does what it is told:
Docker's, the desktop's, an SSH agent's. Where such sockets usually lie, a program gets a place of
its own; those that lie elsewhere are covered one by one.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OWN = tuple(Path(place) for place in ("/dev", "/proc", "/run", "/tmp"))
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

# Only answers who is who; without it a user of a directory service has no name.
_HARMLESS_SOCKETS = frozenset({"/var/lib/sss/pipes/nss"})

_TEMP = Path("/tmp")

_OF_SOCKETS = re.compile(r"\.[A-Za-z0-9]+-unix$|(tmux|ssh|dbus|systemd-private)-")
"""Entries of /tmp in which sockets turn up while a program runs."""

_FOLDERS_OF_SOCKETS = (".ssh/agent",)
"""In the home folder; sockets turn up there while a program runs."""

_REMOTE = ("autofs", "cifs", "fuse", "nfs", "smb")
_ENTRY = re.compile(rb"^(?=[0-9a-f]{8,16}: )", re.MULTILINE)
_SOCKET = re.compile(rb"(?s)\S+: \S+ \S+ \S+ \S+ \S+ +\d+ (/.*)")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


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


def sockets_to_cover(shown: Iterable[str]) -> list[str]:
    """The sockets that a program would see: all that do not lie in a place of its own, and those in
    a place that is shown there nevertheless."""
    roots = {Path(place) for place in shown}
    found = (socket.parent.resolve() / socket.name for socket in listening_sockets())
    return [
        str(socket)
        for socket in found
        if not is_own(socket) or not roots.isdisjoint(socket.parents)
    ]


def listening_sockets() -> list[Path]:
    """The sockets on which somebody listens now, or which were mounted from elsewhere."""
    found = {*_sockets_in_table(), *_mounted_sockets()}
    return sorted(Path(os.fsdecode(path)) for path in found if _may_connect(path))


def _sockets_in_table() -> Iterator[bytes]:
    # Paths stand there as they are, even with a line end in them.
    for entry in _ENTRY.split(_content("/proc/net/unix")):
        if match := _SOCKET.fullmatch(entry.removesuffix(b"\n")):
            yield match[1]


def _mounted_sockets() -> Iterator[bytes]:
    for line in _content("/proc/self/mountinfo").splitlines():
        mount, _, filesystem = line.partition(b" - ")
        fields = mount.split(b" ")
        # The root of a whole file system is a folder, and to ask a remote one may take for ever.
        if fields[3] != b"/" and not os.fsdecode(filesystem).startswith(_REMOTE):
            yield _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), fields[4])


def _may_connect(path: bytes) -> bool:
    if os.fsdecode(path) in _HARMLESS_SOCKETS:
        return False
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode) and os.access(path, os.W_OK)
    except OSError:
        return False


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
