"""Files of which a reviewer is told the name alone: nobody has written them by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.compare import FileChange

_LOCK_FILES = frozenset(
    {
        b"bun.lock", b"Cargo.lock", b"composer.lock", b"deno.lock", b"flake.lock", b"Gemfile.lock",
        b"go.sum", b"go.work.sum", b"gradle.lockfile", b"mix.lock", b"npm-shrinkwrap.json",
        b"package-lock.json", b"Package.resolved", b"packages.lock.json", b"pdm.lock",
        b"Pipfile.lock", b"pixi.lock", b"pnpm-lock.yaml", b"Podfile.lock", b"poetry.lock",
        b"pubspec.lock", b"pylock.toml", b"uv.lock", b"yarn.lock", b".terraform.lock.hcl",
    }
)  # fmt: skip

_GENERATED = re.compile(
    rb"(\.min\.(js|css|mjs)|\.(js|css|mjs)\.map|[._]pb2?(_grpc)?\.(go|py|pyi|rb|cc|h)|\.g\.dart)$"
)

_ATTRIBUTE = "linguist-generated"
"""What code hosts take for the mark of a generated file."""


def reasons(
    repository: Repository, changes: Sequence[FileChange], named: Sequence[bytes] = ()
) -> Mapping[bytes, str]:
    """Why some of the changed files are told by name; the others are not in the answer.

    :param named: what the user asked for by its very name is shown, if it is text.
    """
    marked = _marked(repository, [change.path for change in changes])
    found: dict[bytes, str] = {}
    for change in changes:
        reason = _reason(change, marked.get(change.path))
        if reason and (change.binary or change.path not in named):
            found[change.path] = reason
    return found


def _reason(change: FileChange, mark: bool | None) -> str | None:
    name = change.path.rpartition(b"/")[2]
    if change.binary:
        return "binary, or very large"
    if mark is not None:
        return "generated" if mark else None
    if name in _LOCK_FILES:
        return "lock file"
    return "generated" if _GENERATED.search(name) else None


def _marked(repository: Repository, paths: Sequence[bytes]) -> dict[bytes, bool]:
    """What the repository's attributes say; a file of which they say nothing is left out."""
    answer = repository.git.fields(
        "check-attr", "-z", "--stdin", _ATTRIBUTE, stdin=b"".join(path + b"\0" for path in paths)
    )
    values = dict(zip(answer[::3], answer[2::3], strict=True))
    return {
        path: value not in (b"unset", b"false")
        for path, value in values.items()
        if value != b"unspecified"
    }
