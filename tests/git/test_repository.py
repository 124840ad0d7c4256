"""Finding the repository that a folder belongs to."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import GitError, GitUnusable, NotARepository
from sideshoot.git import Git, discover
from sideshoot.git.command import clean_environment
from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path


def test_from_a_folder_below_the_top(repo: Repo) -> None:
    found = discover(repo.top / "src" / "tools")

    assert (found.top, found.git_dir) == (repo.top, repo.git_dir)
    assert found.common_dir == repo.common_dir
    assert found.head() == repo.head()


@pytest.mark.parametrize(
    "name", ["new\nline", "blank at the end ", "line at the end\n", "b\udcffyte"]
)
def test_where_a_path_has_an_odd_name(tmp_path: Path, name: str) -> None:
    repo = Repo.create(tmp_path / name)

    found = discover(repo.top)

    assert found.top == repo.top
    assert found.git.text("rev-parse", "HEAD") == repo.head()


def test_in_a_linked_working_tree(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))

    found = discover(tmp_path / "linked")

    assert found.top == tmp_path / "linked"
    assert found.git_dir != found.common_dir == repo.common_dir


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "unborn", {})

    assert discover(repo.top).head() is None


@pytest.mark.parametrize(
    "variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"]
)
def test_inherited_variables_do_not_lead_astray(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))

    assert discover(repo.top).top == repo.top
    assert variable not in clean_environment()


def test_outside_of_any_repository(tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match="not in a git repository"):
        discover(tmp_path)


def test_a_bare_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)

    with pytest.raises(NotARepository, match="bare"):
        discover(tmp_path / "bare")


def test_inside_the_git_directory(repo: Repo) -> None:
    with pytest.raises(NotARepository, match="inside a git directory"):
        discover(repo.git_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_repository_of_somebody_else(repo: Repo) -> None:
    for place in (repo.top, repo.git_dir):
        os.chown(place, 12345, 12345)

    with pytest.raises(NotARepository, match=r"safe\.directory"):
        discover(repo.top)


def test_no_git_at_all(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GitUnusable, match="not installed"):
        discover(repo.top)


def test_an_old_git(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(GitUnusable, match=r"2\.30\.2 is too old; install git 2\.38"):
        discover(repo.top)


def test_many_names_are_asked_for_at_once(repo: Repo) -> None:
    found = discover(repo.top)

    assert found.objects("HEAD", "HEAD^{tree}", "no-such") == [
        repo.head(),
        repo.text("rev-parse", "HEAD^{tree}"),
        None,
    ]


def test_a_failure_has_git_s_own_words(repo: Repo) -> None:
    with pytest.raises(GitError, match="git cat-file failed: Not a valid object name nothing"):
        Git(repo.top).run("cat-file", "-p", "nothing")


def test_a_call_that_never_ends_is_ended(repo: Repo, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    with pytest.raises(GitError, match="no answer"):
        Git(repo.top).run("hash-object", "--no-filters", str(fifo), timeout_s=0.2)
