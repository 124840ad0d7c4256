"""What is mounted where, as Linux tells it of each process (proc(5), "mountinfo")."""

from __future__ import annotations

from typing import NamedTuple


class Mount(NamedTuple):
    """A file system, or a part of one, in the place where it can be seen."""

    device: bytes
    """`MAJOR:MINOR`."""
    root: bytes
    """What of the file system is there, from its own root on."""
    point: bytes
    """Where it is."""
    kind: bytes
    """The name of the file system's kind, as `ext4`."""


def mounts(process: bytes = b"self") -> list[Mount]:
    """What a process sees mounted; nothing where that is not told.

    :param process: its number; this process by default.
    """
    try:
        with open(b"/proc/" + process + b"/mountinfo", "rb") as file:
            return [_mount(line) for line in file]
    except OSError:
        return []


def _mount(line: bytes) -> Mount:
    # There may be any number of fields between the sixth and the dash.
    before, _, after = line.partition(b" - ")
    device, root, point = before.split(b" ")[2:5]
    return Mount(device, _plain(root), _plain(point), after.split(b" ")[0])


def _plain(field: bytes) -> bytes:
    # With octal escapes for blanks and backslashes.
    return field.decode("unicode_escape").encode("latin-1") if b"\\" in field else field
