"""What changed in a folder while a program ran is found, and nothing else."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from sideshoot.fence.leak import changed, fingerprint
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ODD = b"a b\nc\xff"


def overwrite(top: Path) -> None:
    (top / "app.py").write_text("x")


def overwrite_in_place_with_old_times(top: Path) -> None:
    facts = (top / "app.py").stat()
    (top / "app.py").write_bytes(b"#" * facts.st_size)
    os.utime(top / "app.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))


def replace(top: Path) -> None:
    (top / "copy").write_bytes((top / "app.py").read_bytes())
    (top / "copy").replace(top / "app.py")


def chmod(top: Path) -> None:
    (top / "app.py").chmod(0o755)


def make_odd(top: Path) -> None:
    (top / os.fsdecode(ODD)).write_text("x")


def make_ignored(top: Path) -> None:
    (top / "x.log").write_text("x")


def make_folder(top: Path) -> None:
    (top / "new" / "deep").mkdir(parents=True)
    (top / "new" / "deep" / "file").write_text("x")


def delete_folder(top: Path) -> None:
    for name in ("docs/guide.txt",):
        (top / name).unlink()
    (top / "docs").rmdir()


def chmod_folder(top: Path) -> None:
    (top / "docs").chmod(0o700)


def retarget(top: Path) -> None:
    (top / "link").unlink()
    (top / "link").symlink_to("README.md")


def make_socket(top: Path) -> None:
    here = os.open(top, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/socket")
    os.close(here)


@pytest.mark.parametrize(
    ("act", "paths"),
    [
        (overwrite, [b"app.py"]),
        (overwrite_in_place_with_old_times, [b"app.py"]),
        (replace, [b"app.py"]),
        (chmod, [b"app.py"]),
        (make_odd, [ODD]),
        (make_ignored, [b"x.log"]),
        (make_folder, [b"new"]),
        (delete_folder, [b"docs"]),
        (chmod_folder, [b"docs"]),
        (retarget, [b"link"]),
        (make_socket, [b"socket"]),
    ],
)
def test_a_change_is_found(repo: Repo, act: Callable[[Path], None], paths: list[bytes]) -> None:
    repo.link("link", "app.py")
    before = fingerprint(repo.top)

    act(repo.top)

    assert changed(before, fingerprint(repo.top)) == paths


def test_reading_is_no_change(repo: Repo) -> None:
    before = fingerprint(repo.top)

    repo.tree()
    repo.git("status")
    repo.git("add", "-A")

    assert changed(before, fingerprint(repo.top)) == []


def test_gits_folders_and_the_workspaces_are_left_out(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.create(repo.top / "inner")
    elsewhere = repo.top / "trees"
    elsewhere.mkdir()
    before = fingerprint(repo.top, leave_out=[elsewhere])

    repo.git("commit", "-q", "--allow-empty", "-m", "x")
    inner.git("commit", "-q", "--allow-empty", "-m", "x")
    repo.write(".worktrees/k3f9/app.py", "x")
    repo.write("trees/k3f9/app.py", "x")

    assert changed(before, fingerprint(repo.top, leave_out=[elsewhere])) == []


def test_a_folder_called_worktrees_deeper_down_is_looked_at(repo: Repo) -> None:
    before = fingerprint(repo.top)

    repo.write("src/.worktrees/x", "x")

    assert changed(before, fingerprint(repo.top)) == [b"src/.worktrees"]


def test_another_name_for_a_file_is_no_change_of_it(repo: Repo, tmp_path: Path) -> None:
    """Package managers link files into their stores and out of them."""
    before = fingerprint(repo.top)

    (tmp_path / "store").hardlink_to(repo.top / "app.py")

    assert changed(before, fingerprint(repo.top)) == []


def test_a_link_is_not_followed(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    repo.link("link", os.fsencode(tmp_path / "far"))
    before = fingerprint(repo.top)

    (tmp_path / "far" / "x").write_text("x")

    assert changed(before, fingerprint(repo.top)) == []


def test_a_folder_that_is_gone_has_no_entries(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "gone").entries == {}


def test_files_that_come_and_go_meanwhile_do_no_harm(repo: Repo) -> None:
    for number in range(300):
        repo.write(f"many/{number}", "x")
    before = fingerprint(repo.top)
    for number in range(0, 300, 2):
        repo.remove(f"many/{number}")

    found = changed(before, fingerprint(repo.top))

    assert len(found) == 150
