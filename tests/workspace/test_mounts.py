"""What is mounted where is read as the kernel writes it."""

from __future__ import annotations

import sys

import pytest

from sideshoot.workspace import mounts as module
from sideshoot.workspace.mounts import Mount, mounts


@pytest.mark.parametrize(
    ("line", "mount"),
    [
        (
            b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n",
            Mount(b"98:0", b"/mnt1", b"/mnt2", b"ext3"),
        ),
        (
            b"36 35 0:5 / /a\\040b\\134c\xff\rd rw - tmpfs none rw\n",
            Mount(b"0:5", b"/", b"/a b\\c\xff\rd", b"tmpfs"),
        ),
    ],
)
def test_a_line_is_read(line: bytes, mount: Mount) -> None:
    assert module._mount(line) == mount


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
def test_this_process_sees_the_root() -> None:
    assert b"/" in [mount.point for mount in mounts()]


def test_nothing_is_told_of_a_process_that_is_not_there() -> None:
    assert mounts(b"none") == []
