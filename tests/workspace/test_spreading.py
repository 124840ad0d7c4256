"""Workspaces lie apart from each other, where the file system can be told."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.workspace.spreading import spread
from support.workspaces import opened

if TYPE_CHECKING:
    from pathlib import Path

    from support.repos import Repo


def marks(folder: Path) -> str:
    """What lsattr(1) says of a folder."""
    lsattr = shutil.which("lsattr")
    if lsattr is None:
        pytest.skip("lsattr is not installed")
    done = subprocess.run([lsattr, "-d", folder], capture_output=True, text=True, check=False)
    return done.stdout.split(" ")[0]


@pytest.fixture
def markable(tmp_path: Path) -> Path:
    spread(tmp_path)
    if "T" not in marks(tmp_path):
        pytest.skip("the file system knows no such mark")
    return tmp_path


@pytest.mark.usefixtures("markable")
def test_the_folder_of_workspaces_is_marked_and_no_other(repo: Repo) -> None:
    workspace = opened(repo)
    assert "T" in marks(workspace.path.parent)
    assert "T" not in marks(workspace.path)
    assert "T" not in marks(repo.top)


@pytest.mark.usefixtures("markable")
def test_a_folder_that_was_there_stays_as_it_is(repo: Repo) -> None:
    repo.place(".worktrees").mkdir()
    assert "T" not in marks(opened(repo).path.parent)


def test_other_marks_stay(markable: Path) -> None:
    subprocess.run(["chattr", "-T", "+d", markable], check=True)
    spread(markable)
    assert {"T", "d"} <= set(marks(markable))


def test_a_folder_that_cannot_be_marked_is_no_failure(tmp_path: Path) -> None:
    spread(tmp_path / "nowhere")
