"""Findings against what was reviewed: what is there, and what is marked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import GitError
from sideshoot.review import check as module
from sideshoot.review.check import REMOVED, SUBMODULE, UNKNOWN, check
from sideshoot.review.findings import Finding, Review, Severity, Verdict

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from support.repos import Repo

ODD = [b"new\nline", b"qu'o\"te", b"$HOME", b"caf\xe9.py", b"-x", b":(top)y", b"a*", "ü ".encode()]


def checked(repository: Repository, *places: tuple[str, int, int]) -> list[Finding]:
    findings = tuple(Finding(Severity.LOW, "t", "", *place) for place in places)
    review = Review(Verdict.NEEDS_ATTENTION, "", findings)
    head = repository.head()
    assert head is not None
    before = repository.resolve("HEAD~1") or repository.empty_tree
    found = check(repository, review, before=before, after=head)
    assert len(found.findings) == len(places)
    return list(found.findings)


def test_what_is_there_has_no_mark(repo: Repo, repository: Repository) -> None:
    repo.write("src/app.py", "1\n2\n3")
    repo.commit("three lines")
    for place in (("src/app.py", 3, 3), ("./src/app.py", 1, 3), ("b/src/app.py:2", 0, 0)):
        (found,) = checked(repository, place)
        assert (found.path, found.doubt, found.name) == (b"src/app.py", "", "src/app.py")


@pytest.mark.parametrize(
    ("file", "last", "doubt"),
    [
        ("src/app.py", 4, "the file has only 3 lines"),
        ("one", 2, "the file has only 1 line"),
        ("empty", 1, "the file has only 0 lines"),
        ("gone", 1, REMOVED),
        ("nowhere.py", 1, UNKNOWN),
        ("src", 1, UNKNOWN),
        ("/etc/passwd", 1, UNKNOWN),
        ("../../etc/passwd", 1, UNKNOWN),
        ("x" * 300_000, 1, UNKNOWN),
        ("a\0b", 1, UNKNOWN),
        ("", 9, ""),
    ],
)
def test_what_is_not_is_marked_and_kept(
    repo: Repo, repository: Repository, file: str, last: int, doubt: str
) -> None:
    repo.write("gone", "x\n")
    repo.commit("before")
    (repo.top / "gone").unlink()
    repo.write("src/app.py", "1\n2\n3\n")
    repo.write("one", "1")
    repo.write("empty", "")
    repo.commit("after")
    (found,) = checked(repository, (file, last, last))
    assert (found.doubt, found.line_end) == (doubt, last)
    assert found.file == file


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_found_by_the_name_that_we_show(
    repo: Repo, repository: Repository, name: bytes
) -> None:
    from sideshoot.text import show_path

    place = os.fsencode(repo.top) + b"/" + name
    with open(place, "wb") as file:
        file.write(b"1\n")
    repo.commit("odd")
    (found,) = checked(repository, (show_path(name), 1, 1))
    assert (found.path, found.doubt) == (name, "")


def test_links_and_submodules(repo: Repo, repository: Repository) -> None:
    head = repository.head()
    (repo.top / "link").symlink_to("nowhere")
    repo.git("add", "link")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    repo.git("commit", "-qm", "links")
    link, sub = checked(repository, ("link", 9, 9), ("sub", 1, 1))
    assert (link.path, link.doubt) == (b"link", "")
    assert (sub.path, sub.doubt) == (b"sub", SUBMODULE)


def test_a_large_file_is_not_read(
    repo: Repo, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 10)
    repo.write("large", "x" * 11)
    repo.write("small", "x" * 10)
    repo.commit("two")
    large, small = checked(repository, ("large", 7, 7), ("small", 7, 7))
    assert (large.doubt, small.doubt) == ("", "the file has only 1 line")


def test_many_findings_take_few_processes(repo: Repo, repository: Repository) -> None:
    places = [(f"dir/file-{number}.py", number, number) for number in range(1000)]
    assert {found.doubt for found in checked(repository, *places)} == {UNKNOWN}


def test_a_tree_that_is_gone_is_an_error(repository: Repository) -> None:
    finding = Finding(Severity.LOW, "t", "", "x", 1, 1)
    gone = "1" * 40
    with pytest.raises(GitError):
        check(repository, Review(Verdict.APPROVE, "", (finding,)), before=gone, after=gone)
