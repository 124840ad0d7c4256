"""Which branch others are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import UsageError
from sideshoot.review.default_branch import default_branch

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from support.repos import Repo


def add_remote(repo: Repo, name: str, *branches: str, head: str | None = None) -> None:
    repo.git("config", f"remote.{name}.url", "nowhere")
    for branch in branches:
        repo.git("update-ref", f"refs/remotes/{name}/{branch}", "HEAD")
    if head:
        repo.git("symbolic-ref", f"refs/remotes/{name}/HEAD", f"refs/remotes/{name}/{head}")


def test_a_branch_by_a_usual_name(repo: Repo, repository: Repository) -> None:
    assert default_branch(repository) == "main"
    repo.git("branch", "-m", "main", "trunk")
    assert default_branch(repository) == "trunk"


def test_what_the_remote_calls_its_head_comes_first(repo: Repo, repository: Repository) -> None:
    add_remote(repo, "origin", "stable/9.x", head="stable/9.x")
    assert default_branch(repository) == "origin/stable/9.x"


def test_the_remote_of_the_branch_comes_before_origin(repo: Repo, repository: Repository) -> None:
    add_remote(repo, "origin", "main", head="main")
    add_remote(repo, "theirs", "next", head="next")
    repo.git("config", "branch.main.remote", "theirs")
    assert default_branch(repository) == "theirs/next"


def test_a_head_that_names_nothing_is_passed_over(repo: Repo, repository: Repository) -> None:
    add_remote(repo, "origin", head="gone")
    assert default_branch(repository) == "main"


def test_a_branch_that_only_the_remote_has(repo: Repo, repository: Repository) -> None:
    add_remote(repo, "origin", "master")
    repo.git("branch", "-m", "main", "mine")
    assert default_branch(repository) == "origin/master"


def test_what_new_repositories_are_configured_to_begin_with(
    repo: Repo, repository: Repository
) -> None:
    repo.git("branch", "-m", "main", "hauptzweig")
    with pytest.raises(UsageError, match="--base REF"):
        default_branch(repository)
    repo.git("config", "init.defaultBranch", "hauptzweig")
    assert default_branch(repository) == "hauptzweig"
