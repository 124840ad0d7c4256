"""The branch that others are compared with where none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Repository

_USUAL = ("main", "master", "trunk", "develop")


def default_branch(repository: Repository) -> str:
    """What the remote calls its HEAD, else a branch by one of the usual names, here or there.

    :raises UsageError: there is none of them.
    """
    for name in _candidates(repository):
        if repository.ref(f"refs/heads/{name}") or repository.ref(f"refs/remotes/{name}"):
            return name
    raise UsageError(
        "no default branch is found here; name what to compare with: `--base REF`, or review what is"
        " uncommitted: `--scope working-tree`"
    )


def _candidates(repository: Repository) -> Iterator[str]:
    remotes = _remotes(repository)
    for remote in remotes:
        ref = f"refs/remotes/{remote}/HEAD"
        answer = repository.git.run("symbolic-ref", "--quiet", ref, accept=(0, 1))
        if answer.text:
            yield answer.text.removeprefix("refs/remotes/")
    configured = repository.git.run("config", "--get", "init.defaultBranch", accept=(0, 1)).text
    names = [*_USUAL, *([configured] if configured else [])]
    yield from names
    yield from (f"{remote}/{name}" for remote in remotes for name in names)


def _remotes(repository: Repository) -> list[str]:
    """The remote of the current branch first, then `origin`, then the others."""
    branch = repository.git.run("symbolic-ref", "--quiet", "--short", "HEAD", accept=(0, 1)).text
    own = repository.git.run("config", "--get", f"branch.{branch}.remote", accept=(0, 1)).text
    found = repository.git.text("remote").splitlines()
    wanted = [name for name in (own, "origin") if name in found]
    return list(dict.fromkeys([*wanted, *found]))
