"""Where a file's bytes lie, as the kernel tells it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.workspace.extents import Extent, Stretches, extents, parse

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "0000000000000000 ffffffffffffffff 00000000 03000000 40000000 00000000"


def extent(words: str) -> str:
    """An extent as it was recorded, without the zeros that are kept for later versions."""
    logical, physical, length, flags = words.split()
    return f"{logical}{physical}{length}{'00' * 16}{flags}{'00' * 12}"


CLONE = bytes.fromhex(
    HEADER
    + extent("0000000000000000 0020831000000000 0010000000000000 00200000")
    + extent("0010000000000000 00d0871000000000 0010000000000000 00000000")
    + extent("0020000000000000 0040831000000000 0080040000000000 01200000")
)
"""What XFS answered for a clone of 300,000 bytes after one byte in its second block was changed."""

COMPRESSED = bytes.fromhex(
    HEADER
    + extent("0000000000000000 00f0ed0300000000 0000020000000000 08200000")
    + extent("0000020000000000 0000ee0300000000 0000020000000000 08200000")
    + extent("0000040000000000 0010ee0300000000 00a0000000000000 09200000")
)
"""What btrfs answered for a clone of as many bytes that it had compressed."""


def test_what_the_kernel_says_is_read() -> None:
    first, second, rest = parse(CLONE)
    assert first == Extent(0, 277028864, 4096, 0x2000)
    assert rest == Extent(8192, 277037056, 294912, 0x2001)
    assert [one.is_shared for one in (first, second, rest)] == [True, False, True]
    assert rest.stretch == (277037056, 277037056 + 294912)


@pytest.mark.parametrize("flags", [0x2, 0x4, 0x200])
def test_what_has_no_place_of_its_own_is_not_shared(flags: int) -> None:
    assert not Extent(0, 0, 4096, 0x2000 | flags).is_shared


def test_what_is_compressed_counts_as_long_as_it_is() -> None:
    stretches = Stretches()
    stretches.add(1, [one.stretch for one in parse(COMPRESSED)])
    stretches.add(1, [one.stretch for one in parse(CLONE)])
    assert len(stretches) == 303104 + 303104


def test_a_real_file_has_all_its_bytes_somewhere(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(os.urandom(300_000))
    with place.open("rb") as file:
        os.fsync(file.fileno())
        try:
            found = [*extents(file.fileno())]
        except OSError as error:
            pytest.skip(f"this file system does not tell: {error.strerror}")
    assert found[0].logical == 0
    assert sum(extent.length for extent in found) >= 300_000


def test_many_extents_are_asked_for_in_several_calls(tmp_path: Path) -> None:
    place = tmp_path / "holes"
    with place.open("wb") as file:
        for number in range(200):
            os.pwrite(file.fileno(), b"x" * 4096, number * 65536)
        os.fsync(file.fileno())
    with place.open("rb") as file:
        try:
            found = [*extents(file.fileno())]
        except OSError as error:
            pytest.skip(f"this file system does not tell: {error.strerror}")
    starts = [extent.logical for extent in found]
    assert starts == sorted({*starts})
    # Some file systems have room ready in what was not written.
    assert {*range(0, 200 * 65536, 65536)} <= {*starts}


def test_a_file_system_that_does_not_tell_says_so() -> None:
    with open("/proc/self/status", "rb") as file, pytest.raises(OSError, match=r"."):
        [*extents(file.fileno())]


def test_stretches_count_once_however_they_overlap() -> None:
    stretches, others = Stretches(), Stretches()
    stretches.add(1, [(0, 100), (50, 150), (150, 160), (300, 400)])
    assert len(stretches) == 260
    others.add(1, [(390, 410)])
    others.add(2, [(0, 10)])
    stretches.update(others)
    assert len(stretches) == 280
