"""What other programs of the machine listen on, which a program inside does not get to see.

A read-only mount keeps nobody from connecting to a socket, and many a socket does what it is told:
Docker's, the desktop's, an SSH agent's.

It is read with each start of a fence, by a process of its own: so only what is quick to import is.
"""

from __future__ import annotations

import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OWN = ("/dev", "/proc", "/run", "/tmp")
"""Places of which a program gets its own."""

# Only answers who is who; without it a user of a directory service has no name.
_HARMLESS = frozenset({b"/var/lib/sss/pipes/nss"})

_REMOTE = (b"autofs", b"cifs", b"fuse", b"nfs", b"smb")
_ENTRY = re.compile(rb"^(?=[0-9a-f]{8,16}: )", re.MULTILINE)
_SOCKET = re.compile(rb"(?s)\S+: \S+ \S+ \S+ \S+ \S+ +\d+ (/.*)")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def sockets_to_cover(shown: Iterable[str]) -> list[str]:
    """The sockets that a program would see: all that do not lie in a place of its own, and those in
    a place that is shown there nevertheless."""
    roots = tuple(f"{place}/" for place in shown)
    own = tuple(f"{place}/" for place in OWN)
    found = (_resolved(os.fsdecode(path)) for path in listening_sockets())
    return [path for path in found if not path.startswith(own) or path.startswith(roots)]


def listening_sockets() -> list[bytes]:
    """The sockets on which somebody listens now, or which were mounted from elsewhere."""
    return sorted(filter(_may_connect, {*_sockets_in_table(), *_mounted_sockets()}))


def _resolved(path: str) -> str:
    # Not what the socket's own name leads to, if it is a link.
    folder, name = os.path.split(path)
    return f"{os.path.realpath(folder).rstrip('/')}/{name}"


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
        if fields[3] != b"/" and not filesystem.startswith(_REMOTE):
            yield _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), fields[4])


def _may_connect(path: bytes) -> bool:
    if path in _HARMLESS:
        return False
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode) and os.access(path, os.W_OK)
    except OSError:
        return False


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
