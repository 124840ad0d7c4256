"""Partial clones: what is missing is fetched at once, where it is needed, and never bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.command import Command
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = 40


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "fetches"


@pytest.fixture
def partial(tmp_path: Path, log: Path) -> Repo:
    """A clone without the old versions of its files, of a repository that counts who asks for some."""
    server = Repo.create(tmp_path / "server", {"top.txt": "top\n"})
    for version in ("one", "two"):
        for number in range(FILES):
            server.write(f"part{number % 4}/{number}.txt", f"{version} {number}\n")
        server.commit(version)
    server.git("branch", "other")
    server.git("checkout", "-q", "other")
    for number in range(FILES):
        server.write(f"part{number % 4}/{number}.txt", f"other {number}\n")
    server.commit("other")
    server.git("checkout", "-q", "-")
    for name in ("allowFilter", "allowAnySHA1InWant"):
        server.git("config", f"uploadpack.{name}", "true")
    program = tmp_path / "upload-pack"
    program.write_text(f'#!/bin/sh\necho fetch >>"{log}"\nexec git-upload-pack "$@"\n')
    program.chmod(0o755)
    place = tmp_path / "partial"
    options = ("--filter=blob:none", "-u", str(program))
    server.git("clone", "-q", *options, server.top.as_uri(), str(place))
    clone = Repo(place)
    clone.git("config", "remote.origin.uploadpack", str(program))
    log.write_text("")
    return clone


@pytest.fixture
def fetches(log: Path) -> Callable[[], int]:
    """How often something was fetched since this was asked last."""

    def count() -> int:
        number = log.read_text().count("fetch")
        log.write_text("")
        return number

    return count


def test_a_round_on_what_is_there_fetches_nothing(
    partial: Repo, fetches: Callable[[], int]
) -> None:
    sideshoot = Command(partial.top)
    sideshoot.run("echo x >>part1/1.txt; rm part2/2.txt; echo new >new")
    for words in ("diff", "keep", "undo", "status --sizes", "gc --dry-run", "discard"):
        sideshoot(*words.split()).ok()
    assert fetches() == 0


def test_an_old_commit_is_fetched_at_once(partial: Repo, fetches: Callable[[], int]) -> None:
    sideshoot = Command(partial.top)
    job = sideshoot.run("cat part3/39.txt; echo x >>top.txt", "--base", "HEAD~1")
    assert job["message"] == "one 39\n"
    assert fetches() == 1
    for words in ("diff", "keep --dry-run", "gc --dry-run", "discard"):
        sideshoot(*words.split()).ok()
    assert fetches() == 0


def test_of_a_sparse_copy_only_what_it_has_is_fetched(
    partial: Repo, fetches: Callable[[], int]
) -> None:
    sideshoot = Command(partial.top)
    sideshoot.run("echo x >>part1/1.txt", "--base", "HEAD~1", "--sparse", "part1")
    assert fetches() == 1
    missing = partial.text("rev-list", "--objects", "--missing=print", "HEAD~1").count("?")
    assert missing >= FILES * 3 // 4


def test_what_an_agent_merges_is_fetched_at_once(partial: Repo, fetches: Callable[[], int]) -> None:
    sideshoot = Command(partial.top)
    sideshoot.run("git merge -q origin/other", "--sandbox", "off")
    sideshoot("keep").ok()
    sideshoot("gc", "--dry-run").ok()
    assert fetches() <= 2
    assert partial.read("part0/0.txt") == b"other 0\n"
