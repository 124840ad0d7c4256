"""Entries of an index, found and changed where they lie: compared with what git makes of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.git.trees import Entry
from sideshoot.workspace.index_file import IndexFile
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATHS = (
    b"app.py",
    b"src/tools/rake.py",
    b"src/beds.py",
    b"a/b/c/d.txt",
    b"a/b/e.txt",
    b"z/" + b"n" * 5000,
)


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Repo:
    """A repository with folders in folders, whose index remembers all their trees."""
    repo = Repo.create(tmp_path / "garden", options=[f"--object-format={request.param}"])
    for path in ("a/b/c/d.txt", "a/b/e.txt", "a/f.txt", "b/g.txt", "src/tools/hoe.py"):
        repo.write(path, f"{path}\n")
    repo.commit()
    # Longer than the field for it, and than any file's name may be.
    blob = repo.text("rev-parse", "HEAD:app.py")
    repo.git("update-index", "--add", "--cacheinfo", b"100644,%s,%s" % (blob.encode(), PATHS[-1]))
    repo.git("write-tree")
    return repo


def object_format(repo: Repo) -> str:
    return repo.text("rev-parse", "--show-object-format")


def read(repo: Repo) -> IndexFile | None:
    return IndexFile.read(repo.git_dir / "index", object_format(repo))


def entries(repo: Repo, *paths: bytes) -> dict[bytes, Entry]:
    """What the index has there, as git tells it."""
    found = {}
    for record in repo.git("ls-files", "-s", "-z", "--", *paths).split(b"\0")[:-1]:
        head, path = record.split(b"\t", 1)
        mode, oid, _ = head.decode().split(" ")
        found[path] = Entry(mode, oid)
    return found


def changed(repo: Repo, paths: tuple[bytes, ...]) -> dict[bytes, Entry]:
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"changed\n").decode().strip()
    return {path: Entry("100755", blob) for path in paths}


def replaced(repo: Repo, new: dict[bytes, Entry]) -> None:
    """Write the index with other entries in the place of the old ones."""
    place = repo.git_dir / "index"
    index = read(repo)
    assert index is not None
    assert index.replace(entries(repo, *new), new)
    index.write(place.with_name("fresh"))
    place.with_name("fresh").replace(place)


@pytest.mark.parametrize("paths", [PATHS[:1], PATHS[1:2], PATHS[3:5], PATHS[5:], PATHS])
def test_git_finds_what_it_would_have_written(repo: Repo, paths: tuple[bytes, ...]) -> None:
    new = changed(repo, paths)
    by_git = {"GIT_INDEX_FILE": str(repo.git_dir / "by-git")}
    repo.git("read-tree", repo.text("write-tree"), env=by_git)
    lines = b"".join(
        b"%s %s\t%s\0" % (entry.mode.encode(), entry.oid.encode(), path)
        for path, entry in new.items()
    )
    repo.git("update-index", "-z", "--index-info", stdin=lines, env=by_git)

    replaced(repo, new)

    assert repo.git("ls-files", "-s", "-z") == repo.git("ls-files", "-s", "-z", env=by_git)
    # By what is remembered of trees, and after all of it was forgotten.
    assert repo.git("write-tree") == repo.git("write-tree", env=by_git)
    repo.git("fsck", "--strict", "--no-dangling")


def test_what_lies_in_files_that_are_told_need_not_be_read(repo: Repo) -> None:
    repo.write("app.py", "changed\n", mode=0o755)
    os.utime(repo.top / "app.py", (1e9, 1e9))
    new = changed(repo, (b"app.py",))
    replaced(repo, new)
    assert b"app.py" in repo.git("diff-files", "--name-only")
    index, place = read(repo), repo.git_dir / "index"
    assert index is not None
    assert index.know(new, {b"app.py": (repo.top / "app.py").lstat()})
    index.write(place.with_name("fresh"))
    place.with_name("fresh").replace(place)
    assert b"app.py" not in repo.git("diff-files", "--name-only")


UNLIKE: dict[str, Callable[[Repo], object]] = {
    "hidden": lambda repo: repo.git("update-index", "--assume-unchanged", "app.py"),
    "left out": lambda repo: repo.git("update-index", "--skip-worktree", "app.py"),
    "removed": lambda repo: repo.git("rm", "-q", "--cached", "app.py"),
    "staged": lambda repo: stage(repo, "app.py"),
    "another mode": lambda repo: repo.git("update-index", "--chmod=+x", "app.py"),
    "compressed": lambda repo: repo.git("update-index", "--index-version", "4"),
    "split": lambda repo: repo.git("update-index", "--split-index"),
    "without trees": lambda repo: repo.git("read-tree", "--empty"),
    "damaged": lambda repo: damage(repo.git_dir / "index"),
    "cut off": lambda repo: os.truncate(repo.git_dir / "index", 20),
    "not there": lambda repo: (repo.git_dir / "index").unlink(),
}


def stage(repo: Repo, path: str) -> None:
    repo.write(path, "other\n")
    repo.git("add", path)


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[30] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("turn", UNLIKE.values(), ids=UNLIKE.keys())
def test_what_is_unusual_is_left_to_git(repo: Repo, turn: Callable[[Repo], object]) -> None:
    expected = entries(repo, b"app.py", b"src/beds.py")
    turn(repo)
    index = read(repo)
    assert index is None or index.find(expected) is None


def test_an_unmerged_path_is_none_of_its_entries(repo: Repo) -> None:
    expected = entries(repo, b"app.py")
    (entry,) = expected.values()
    lines = "".join(f"{entry.mode} {entry.oid} {stage}\tapp.py\n" for stage in (1, 2, 3))
    repo.git("update-index", "--force-remove", "app.py")
    repo.git("update-index", "--index-info", stdin=lines.encode())
    index = read(repo)
    assert index is None or index.find(expected) is None


def test_the_end_of_a_longer_path_is_not_taken_for_it(repo: Repo) -> None:
    blob = repo.text("rev-parse", "HEAD:app.py")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},z/app.py")
    repo.git("rm", "-q", "--cached", "app.py")
    repo.git("write-tree")
    index = read(repo)
    assert index is not None
    assert index.find({b"app.py": Entry("100644", blob)}) is None
    assert index.find({b"z/app.py": Entry("100644", blob)}) is not None
