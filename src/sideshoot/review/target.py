"""What is reviewed: a change, as the two commits that it leads from and to.

::

    working tree   from HEAD to the tree as it lies there, staged, unstaged and untracked
    branch         from where it left its base to HEAD
    commit         from its first parent to it
    pull request   from where it left its base to its head
    job            from what it started with to its result
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CannotStart, CaptureFailed, UsageError
from sideshoot.review import sides
from sideshoot.text import show_path
from sideshoot.workspace.base import carried
from sideshoot.workspace.compare import FileChange, changed_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.model import Job
    from sideshoot.review.sides import Sides

TEXT_LIMIT = 1024 * 1024
"""In bytes. What is larger was hardly written by anybody, and is told by its name."""

_NOTHING = "there is nothing to review: "


class Scope(StrEnum):
    """Which change is meant where none is named."""

    AUTO = "auto"
    """The working tree if anything is uncommitted in it, else the branch."""
    WORKING_TREE = "working-tree"
    BRANCH = "branch"


class NothingToReview(CannotStart):
    """There is no difference to look at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asked for; at most one of `base`, `commit`, `pull_request` and `job` is given."""

    scope: Scope = Scope.AUTO
    base: str | None = None
    """A branch or commit that HEAD is compared with."""
    commit: str | None = None
    pull_request: int | None = None
    job: Job | None = None
    paths: tuple[bytes, ...] = ()
    """Only what lies at these or below them, relative to the top."""


@dataclass(frozen=True, slots=True)
class Target:
    """A change that can be reviewed."""

    what: str
    """The change in words: `the working tree`, `commit 1f3c2ab`."""
    before: str
    after: str
    changes: tuple[FileChange, ...]
    paths: tuple[bytes, ...] = ()
    is_here: bool = False
    """Whether the user's tree holds at this moment what `after` does."""
    reviewer: Mapping[str, Any] | None = None
    """The same change as Codex's `review/start` names it, where it has a name for exactly that."""
    notes: tuple[str, ...] = ()
    """What the user should know, one line each."""
    job: str | None = None
    has_messages: bool = False
    """Whether the commits between the two are somebody's, who says in them what they do."""
    refs: tuple[str, ...] = ()
    """Refs that hold the two commits until a job does."""


def resolve(repository: Repository, wanted: Wanted) -> Target:
    """Find the change that is meant; nothing of the user's is touched.

    :raises UsageError: it names what does not exist.
    :raises NothingToReview: nothing is different there.
    :raises CannotStart: something that it takes is missing.
    """
    if wanted.job is not None:
        return _target(repository, sides.of_job(repository, wanted.job), wanted.paths)
    if wanted.commit is not None:
        return _target(repository, sides.of_commit(repository, wanted.commit), wanted.paths)
    if wanted.pull_request is not None:
        return _pulled(repository, wanted.pull_request, wanted.paths)
    if wanted.base is not None or wanted.scope is Scope.BRANCH:
        return _target(repository, sides.of_branch(repository, wanted.base), wanted.paths)
    if wanted.scope is Scope.WORKING_TREE:
        return _target(repository, sides.of_working_tree(repository), wanted.paths)
    return _whatever_there_is(repository, wanted.paths)


def _pulled(repository: Repository, number: int, paths: tuple[bytes, ...]) -> Target:
    from sideshoot.review.pull_request import fetched  # noqa: PLC0415 - the only one that fetches

    found = fetched(repository, number)
    try:
        return _target(repository, found, paths)
    except BaseException:
        sides.release(repository, found.refs)
        raise


def _whatever_there_is(repository: Repository, paths: tuple[bytes, ...]) -> Target:
    """What is uncommitted, else what the branch has."""
    try:
        return _target(repository, sides.of_working_tree(repository), paths)
    except NothingToReview:
        pass
    try:
        return _target(repository, sides.of_branch(repository, None), paths)
    except (NothingToReview, UsageError) as error:
        where = f" at {_listed(paths)}" if paths else ""
        why = str(error).removeprefix(_NOTHING)
        raise NothingToReview(
            f"there is nothing to review{where}: nothing is uncommitted, and {why}"
        ) from None


def _target(repository: Repository, found: Sides, paths: tuple[bytes, ...]) -> Target:
    changes = changed_files(repository, found.before, found.after, paths, text_limit=TEXT_LIMIT)
    if not changes:
        raise NothingToReview(_nothing(found, paths))
    target = Target(
        what=found.what + (f" at {_listed(paths)}" if paths else ""),
        before=found.before,
        after=found.after,
        changes=tuple(changes),
        paths=paths,
        reviewer=None if paths else found.reviewer,
        notes=(*found.notes, *_unchanged(paths, changes)),
        job=found.job,
        has_messages=found.has_messages,
        refs=found.refs,
    )
    return _placed(repository, found, target)


def _placed(repository: Repository, found: Sides, target: Target) -> Target:
    """Find out whether the user's tree is what the reviewer has to see."""
    if found.is_here:
        return replace(target, is_here=True)
    head_tree, after_tree = repository.objects("HEAD^{tree}", f"{target.after}^{{tree}}")
    if head_tree != after_tree:
        return replace(target, reviewer=_anywhere(target))
    if _is_clean(repository, after_tree):
        return replace(target, is_here=True)
    note = "what you have not committed is no part of it; `--scope working-tree` reviews that"
    notes = (*target.notes, note) if found.is_of_branch else target.notes
    return replace(target, reviewer=_anywhere(target), notes=notes)


def _is_clean(repository: Repository, tree: str | None) -> bool:
    """Whether the user's tree is this one; where it can't be read, nobody knows."""
    try:
        return carried(repository).tree == tree
    except CaptureFailed:
        return False


def _anywhere(target: Target) -> Mapping[str, Any] | None:
    """Codex's name for the change, if it means the same in any working tree."""
    reviewer = target.reviewer
    return reviewer if reviewer and reviewer["type"] == "commit" else None


def _nothing(found: Sides, paths: tuple[bytes, ...]) -> str:
    why = f"{found.what} changes nothing at {_listed(paths)}" if paths else found.why_nothing
    return _NOTHING + why


def _unchanged(paths: Sequence[bytes], changes: Sequence[FileChange]) -> list[str]:
    touched = {path for change in changes for path in (change.path, change.old_path) if path}
    return [
        f"nothing is changed at {show_path(path)}"
        for path in paths
        if not any(one == path or one.startswith(path + b"/") for one in touched)
    ]


def _listed(paths: Sequence[bytes], most: int = 3) -> str:
    shown = ", ".join(show_path(path) for path in paths[:most])
    return f"{shown} and {len(paths) - most} more" if len(paths) > most else shown


def texts(paths: Sequence[bytes]) -> tuple[str, ...]:
    """Paths as the record of a job holds them."""
    return tuple(os.fsdecode(path) for path in paths)
