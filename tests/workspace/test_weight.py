"""What folders take on the disk."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.workspace import weight
from sideshoot.workspace.weight import Scales

if TYPE_CHECKING:
    from pathlib import Path


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(os.urandom(100_000))
    return folder


def test_it_is_what_du_says(tmp_path: Path) -> None:
    folder = fill(tmp_path / "folder", "one", "two", "deep/down/three")
    (folder / "link").symlink_to("/usr/share")
    (folder / "second name").hardlink_to(folder / "one")
    os.truncate(folder / "two", 50_000_000)

    said = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, check=True).stdout

    assert Scales().weigh(folder).own_bytes == int(said.split()[0])


def test_a_file_with_names_in_two_folders_counts_in_the_first(tmp_path: Path) -> None:
    first, second = fill(tmp_path / "first", "file"), tmp_path / "second"
    second.mkdir()
    (second / "file").hardlink_to(first / "file")
    scales = Scales()

    assert scales.weigh(first).own_bytes >= 100_000
    assert scales.weigh(second).own_bytes < 100_000


def test_folders_can_be_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "in/file", "out/file")
    both = Scales().weigh(tmp_path).own_bytes

    assert Scales().weigh(tmp_path, without=[tmp_path / "out"]).own_bytes <= both - 100_000


def test_who_has_no_time_is_told_so(tmp_path: Path) -> None:
    fill(tmp_path, "one/file", "two/file")

    weighed = Scales().weigh(tmp_path, patience_s=-1)

    assert (weighed.own_bytes, weighed.whole) == (0, False)


def test_a_folder_that_is_not_there_takes_nothing(tmp_path: Path) -> None:
    weighed = Scales().weigh(tmp_path / "gone")

    assert (weighed.own_bytes, weighed.whole) == (0, True)


def test_what_other_files_have_too_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As file systems with clones tell it; what the kernel says there is in test_extents."""
    fill(tmp_path, "clone", "mine")
    taken = Scales().weigh(tmp_path).own_bytes
    half = (tmp_path / "clone").stat().st_blocks * 512
    monkeypatch.setattr(weight, "_may_share", lambda _: True)
    monkeypatch.setattr(
        weight, "_shared_stretches", lambda path: [(0, half)] if path.endswith("clone") else []
    )

    weighed = Scales().weigh(tmp_path)

    assert (weighed.own_bytes, len(weighed.shared)) == (taken - half, half)


def test_real_clones_share_their_blocks(tmp_path: Path) -> None:
    original, copies = fill(tmp_path / "original", "file"), tmp_path / "copies"
    copies.mkdir()
    for name in ("one", "two"):
        argv = ["cp", "--reflink=always", str(original / "file"), str(copies / name)]
        if subprocess.run(argv, capture_output=True).returncode:
            pytest.skip("this file system can't clone")
    os.sync()

    weighed = Scales().weigh(copies)

    assert weighed.own_bytes < 50_000
    assert 100_000 <= len(weighed.shared) < 150_000
