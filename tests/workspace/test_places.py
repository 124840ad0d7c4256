"""Where a path of a tree lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.workspace.places import facts, parents, place

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folders_above_a_path() -> None:
    assert parents(b"a/b/c") == [b"a", b"a/b"]
    assert parents(b"a") == []


def test_a_name_need_not_be_text(tmp_path: Path) -> None:
    with open(place(tmp_path, b"\xff\n"), "wb"):
        pass

    assert facts(tmp_path, b"\xff\n") is not None
    assert facts(tmp_path, b"\xff\n/below") is None
    assert facts(tmp_path, b"other") is None


@pytest.mark.parametrize("target", ["folder", "/", "loop/inner", "loop"])
def test_what_lies_behind_a_link_is_not_there(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "etc").write_text("not of this tree\n")
    (tmp_path / "loop").symlink_to(target)

    assert facts(tmp_path, b"loop") is not None
    assert facts(tmp_path, b"loop/etc") is None
    assert facts(tmp_path, b"folder/etc") is not None
