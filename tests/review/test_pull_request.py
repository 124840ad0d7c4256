"""A pull request as the target: fetched, and none of the user's refs touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import CannotStart
from sideshoot.review.target import NothingToReview, Wanted, resolve
from support.github import URL, GitHub

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository
    from support.repos import Repo


@pytest.fixture
def github(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    return GitHub.set_up(repo, tmp_path, monkeypatch)


def commit_there(github: GitHub, path: str, parent: str) -> str:
    """A commit that only GitHub has: `path` on top of `parent`."""
    remote = github.remote
    blob = remote.git("hash-object", "-w", "--stdin", stdin=b"x\n").decode().strip()
    listed = remote.git("ls-tree", parent) + f"100644 blob {blob}\t{path}\n".encode()
    tree = remote.git("mktree", stdin=listed).decode().strip()
    return remote.text("commit-tree", tree, "-p", parent, "-m", path)


def test_the_change_is_fetched_and_nothing_of_the_users_moves(
    repo: Repo, repository: Repository, github: GitHub
) -> None:
    start = repo.head()
    head = commit_there(github, "theirs.py", start)
    base = commit_there(github, "meanwhile.py", start)
    github.remote.git("update-ref", "refs/heads/main", base)
    github.remote.git("tag", "v1", base)
    github.open_pull_request(7, base=base, head=head, title="Add theirs")
    repo.git("config", "fetch.prune", "true")
    repo.git("update-ref", "refs/remotes/origin/old", start)
    (repo.git_dir / "FETCH_HEAD").write_text("as it was\n")
    before = repo.fingerprint()

    target = resolve(repository, Wanted(pull_request=7))

    assert [change.path for change in target.changes] == [b"theirs.py"]
    assert (target.before, target.after) == (start, head)
    assert (target.what, target.is_here) == ("pull request #7", False)
    assert target.notes == ("pull request #7: Add theirs",)
    assert repo.fingerprint() == before
    assert (repo.git_dir / "FETCH_HEAD").read_text() == "as it was\n"
    assert set(repo.our_refs()) == set(target.refs)


def test_one_that_is_merged_and_whose_base_is_gone(
    repo: Repo, repository: Repository, github: GitHub
) -> None:
    start = repo.head()
    head = commit_there(github, "theirs.py", start)
    github.open_pull_request(7, base=start, head=head)
    github.remote.git("update-ref", "refs/heads/other", head)
    github.remote.git("symbolic-ref", "HEAD", "refs/heads/other")
    github.remote.git("branch", "-D", "main")
    assert resolve(repository, Wanted(pull_request=7)).before == start


@pytest.mark.parametrize(
    "url",
    [
        "git@github.example:Garden/Shed.git",
        "ssh://git@github.example/garden/shed",
        f"{URL}/",
    ],
)
def test_it_is_fetched_from_where_the_user_fetches(
    repo: Repo, repository: Repository, github: GitHub, url: str
) -> None:
    repo.git("config", "--unset-all", f"url.{github.remote.top}.insteadOf")
    repo.git("config", f"url.{github.remote.top}.insteadOf", url)
    repo.git("config", "remote.origin.url", url)
    head = commit_there(github, "theirs.py", repo.head())
    github.open_pull_request(7, base=repo.head(), head=head)
    assert resolve(repository, Wanted(pull_request=7)).after == head


def test_without_a_remote_of_its_repository_it_comes_from_there(
    repo: Repo, repository: Repository, github: GitHub
) -> None:
    repo.git("remote", "rename", "origin", "mine")
    repo.git("config", "remote.mine.url", "/nowhere")
    head = commit_there(github, "theirs.py", repo.head())
    github.open_pull_request(7, base=repo.head(), head=head)
    assert resolve(repository, Wanted(pull_request=7)).after == head


def test_what_can_go_wrong_is_said(
    repo: Repo,
    repository: Repository,
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with pytest.raises(CannotStart, match="#8: GraphQL: Could not resolve"):
        resolve(repository, Wanted(pull_request=8))
    github.open_pull_request(9, base=repo.head(), head=repo.head())
    with pytest.raises(NothingToReview, match="pull request #9 changes no file"):
        resolve(repository, Wanted(pull_request=9))
    github.remote.git("update-ref", "-d", "refs/pull/9/head")
    with pytest.raises(CannotStart, match=r"#9 can't be fetched from .*: couldn't find remote ref"):
        resolve(repository, Wanted(pull_request=9))
    github.facts.write_text('{"9": {"number": 9}}')
    with pytest.raises(CannotStart, match="#9"):
        resolve(repository, Wanted(pull_request=9))
    assert repo.our_refs() == {}
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "git").symlink_to("/usr/bin/git")
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(CannotStart, match=r"gh, which is not installed: https://cli\.github\.com"):
        resolve(repository, Wanted(pull_request=9))
