"""What a reviewer is shown: all of a change, or an excerpt in bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sideshoot.review.material import Material, gather
from sideshoot.review.target import Wanted, resolve
from sideshoot.workspace.compare import read_patch

if TYPE_CHECKING:
    import pytest

    from sideshoot.git import Repository
    from support.repos import Repo

LIMIT = 20_000


def shown(repository: Repository, limit: int = LIMIT, **wanted: object) -> Material:
    target = resolve(repository, Wanted(**wanted))  # type: ignore[arg-type]
    return gather(repository, target, limit=limit)


def files_in(material: Material) -> list[str]:
    return re.findall(r"^diff --git a/(\S+)", material.diff, re.MULTILINE)


def test_a_small_change_is_shown_whole(repo: Repo, repository: Repository) -> None:
    repo.write("app.py", "x = 1\n")
    repo.git("mv", "docs/guide.txt", "docs/manual.txt")
    repo.remove("README.md")
    repo.chmod("src/beds.py", 0o755)
    material = shown(repository)
    assert material.is_whole
    assert material.map.splitlines() == [
        "D README.md  +0 -3",
        "M app.py  +1 -30",
        "R docs/guide.txt -> docs/manual.txt  +0 -0  (for git: docs/guide.txt docs/manual.txt)",
        "M src/beds.py  (only its mode)",
    ]
    assert "+x = 1\n" in material.diff
    assert "rename to docs/manual.txt" in material.diff


def test_what_is_told_by_name_has_no_patch(repo: Repo, repository: Repository) -> None:
    repo.write("picture.png", b"\x89PNG\0\0")
    repo.write("yarn.lock", "secret content\n")
    material = shown(repository)
    assert material.is_whole
    assert material.diff == ""
    assert "A picture.png  (binary, or very large)" in material.map
    assert "A yarn.lock  (lock file)" in material.map


def test_odd_names_come_with_what_git_is_to_be_told(repo: Repo, repository: Repository) -> None:
    repo.write(b"caf\xe9's", "x\n")
    repo.write("with space", "x\n")
    repo.write("star*", "x\n")
    lines = shown(repository).map.splitlines()
    assert lines == [
        "A caf\\xe9's  +1 -0  (for git: ':(top,glob)caf??s')",
        "A star*  +1 -0  (for git: ':(top,literal)star*')",
        "A with space  +1 -0",
    ]


def test_more_than_the_limit_is_an_excerpt_that_begins_with_the_small(
    repo: Repo, repository: Repository
) -> None:
    repo.write("aaa_large.py", "".join(f"line {number} of many\n" for number in range(5000)))
    for number in range(20):
        repo.write(f"small_{number:02}.py", f"x = {number}\n")
    material = shown(repository)
    assert not material.is_whole
    assert material.left_out == 1
    assert files_in(material)[:20] == [f"small_{number:02}.py" for number in range(20)]
    assert "line 3 of many" in material.diff
    assert material.diff.endswith("[the rest of this file's patch is left out]\n")
    assert len(material.diff.encode()) < LIMIT


def test_a_line_without_end_does_not_drive_out_the_others(
    repo: Repo, repository: Repository
) -> None:
    repo.write("bundle.js", "x" * 500_000)
    for number in range(10):
        repo.write(f"small_{number}.py", "x = 1\n" * 5)
    material = shown(repository)
    assert set(files_in(material)) == {"bundle.js", *(f"small_{number}.py" for number in range(10))}
    assert len(material.diff.encode()) < LIMIT


def test_no_more_is_read_than_shown(
    repo: Repo, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        repo.write(f"file_{number:03}.py", f"number = {number}\n" * 200)
    read = []

    def counted(*words: object, **options: object) -> tuple[bytes, bool]:
        patch, is_all = read_patch(*words, **options)  # type: ignore[arg-type]
        read.append(len(patch))
        return patch, is_all

    monkeypatch.setattr("sideshoot.review.material.read_patch", counted)
    material = shown(repository)
    assert not material.is_whole
    assert material.left_out > 290
    assert len(material.diff) > LIMIT // 4
    assert sum(read) <= LIMIT


def test_a_map_of_very_many_files_is_one_of_folders(repo: Repo, repository: Repository) -> None:
    for number in range(600):
        repo.write(f"src/part_{number % 3}/deep/file_{number}.py", "x\n")
    material = shown(repository)
    assert "src/part_0/deep/  200 files, 200 lines" in material.map
    assert len(material.map) < LIMIT // 4


def test_even_a_map_of_folders_has_an_end(repo: Repo, repository: Repository) -> None:
    for number in range(600):
        repo.write(f"folder_{number:03}/file.py", "x\n")
    material = shown(repository)
    assert len(material.map) <= LIMIT // 4 + 50
    assert re.search(r"… and \d+ more$", material.map)


def test_bytes_that_are_no_text_are_shown_as_such(repo: Repo, repository: Repository) -> None:
    repo.write("latin.txt", "caf\xe9\n".encode("latin-1"))
    material = shown(repository)
    assert "+caf\ufffd" in material.diff


def test_what_its_commits_say_is_shown(repo: Repo, repository: Repository) -> None:
    repo.git("checkout", "-qb", "feature")
    for number in range(40):
        repo.write("app.py", f"x = {number}\n")
        repo.commit(f"Set x to {number}\n\nSince {number} it is.")
    said = shown(repository, base="main").messages
    assert said.startswith("Set x to 39\n\nSince 39 it is.")
    assert "Set x to 10" in said
    assert "Set x to 9\n" not in said
    repo.write("app.py", "y\n")
    assert shown(repository).messages == ""
    repo.commit("long " * 5000)
    assert len(shown(repository, commit="HEAD").messages) <= 8192
