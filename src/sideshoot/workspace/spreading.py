"""Have the file system lay workspaces far from each other on the disk.

ext4 puts a new folder near the one that it is in, and a file near its folder. Without a journal, as
in many virtual machines, it passes over what was deleted within the last five minutes, one inode at a
time and again for each new file (`recently_deleted` in fs/ext4/ialloc.c). So a workspace that is
made where another has just been deleted takes many times as long. What lies in a folder that is
marked as the top of hierarchies (chattr(1), attribute T) is spread over the disk instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# linux/fs.h, for the processors that have these numbers; elsewhere the kernel knows none of them.
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_TOP_OF_HIERARCHIES = 0x00020000
_FLAGS = struct.Struct("@l")


def spread(folder: Path) -> None:
    """Mark a folder, so that what is made in it is spread over the disk, where it can be marked."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            (flags,) = _FLAGS.unpack(fcntl.ioctl(handle, _GET_FLAGS, bytes(_FLAGS.size)))
            fcntl.ioctl(handle, _SET_FLAGS, _FLAGS.pack(flags | _TOP_OF_HIERARCHIES))
        finally:
            os.close(handle)
