"""Files of which a reviewer is told the name alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.review.by_name import reasons
from sideshoot.review.target import Wanted, resolve

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from support.repos import Repo


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("package-lock.json", "lock file"),
        ("deep/down/Cargo.lock", "lock file"),
        ("web/app.min.js", "generated"),
        ("api/types.pb.go", "generated"),
        ("api/types_pb2.py", "generated"),
        ("api/types_pb2_grpc.py", "generated"),
        ("my-package-lock.json", None),
        ("lock.py", None),
        ("app.js", None),
    ],
)
def test_by_the_name(repo: Repo, repository: Repository, path: str, reason: str | None) -> None:
    repo.write(path, "x\n")
    found = reasons(repository, resolve(repository, Wanted()).changes)
    assert found == ({path.encode(): reason} if reason else {})


def test_binary_and_very_large_files(repo: Repo, repository: Repository) -> None:
    repo.write("picture.png", b"\x89PNG\0\0")
    repo.write("dump.sql", "insert\n" * 200_000)
    found = reasons(repository, resolve(repository, Wanted()).changes)
    assert set(found) == {b"picture.png", b"dump.sql"}
    assert set(found.values()) == {"binary, or very large"}


def test_what_the_attributes_of_the_repository_say(repo: Repo, repository: Repository) -> None:
    repo.write(".gitattributes", "schema.py linguist-generated\n*.lock -linguist-generated\n")
    repo.write("schema.py", "x\n")
    repo.write("yarn.lock", "x\n")
    found = reasons(repository, resolve(repository, Wanted()).changes)
    assert found == {b"schema.py": "generated"}


def test_what_was_asked_for_by_its_name_is_shown(repo: Repo, repository: Repository) -> None:
    repo.write("yarn.lock", "x\n")
    repo.write("picture.png", b"\x89PNG\0\0")
    changes = resolve(repository, Wanted()).changes
    assert set(reasons(repository, changes, [b"yarn.lock", b"picture.png"])) == {b"picture.png"}
