"""The files of a workspace and its two indexes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.git.trees import entries_at
from sideshoot.workspace import lfs as large
from sideshoot.workspace.fill import fill
from sideshoot.workspace.places import facts, place
from sideshoot.workspace.sparse import SETTINGS, covered_by

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from sideshoot.git import Git, Repository
    from sideshoot.workspace.base import Base
    from sideshoot.workspace.place import Workspace


def check_out(
    repository: Repository,
    workspace: Workspace,
    base: Base,
    known: Path | None = None,
    *,
    sparse: Collection[bytes] = (),
    lfs: str | None = None,
) -> list[str]:
    """Write the base's files as git would, through its filters, and make both indexes.

    The private index holds the base's tree and the stat data of the files just written. The
    workspace's own holds what the user has staged, so that `git status` says there what it says in
    the user's tree.

    :param repository: the user's working tree.
    :param known: an index of the base's files, if they lie there already.
    :param sparse: the folders that the workspace shall have; all by default.
    :param lfs: what becomes of large files; see `sideshoot.workspace.lfs`.
    :return: what the user should know, one line each.
    """
    notes = []
    settings = {**checkout_settings(), **(SETTINGS if sparse else {})}
    git = workspace.repository.git.with_index(workspace.private_index).configured(settings)
    git = git.having(**large.environment(lfs))
    if known is not None:
        known.rename(workspace.private_index)
    elif not fill(repository, workspace, base, wanted=_wanted(repository, sparse, lfs)):
        notes = _write_files(git, base.tree)
    if lfs == large.PULL:
        large.pull(git)
    if base.raw:
        _write_raw(workspace, base.tree, base.raw)
    _make_index(workspace, base)
    return notes


def _wanted(
    repository: Repository, sparse: Collection[bytes], lfs: str | None
) -> Callable[[bytes], bool] | None:
    """A test whether the file at a path is to be there as it is in the user's tree; `None`: all are."""
    if not sparse and lfs != large.SKIP:
        return None
    covered = covered_by(sparse) if sparse else None
    pointers = large.large_files(repository.git) if lfs == large.SKIP else ()
    return lambda path: path not in pointers and (covered is None or covered(path))


def _write_files(git: Git, tree: str) -> list[str]:
    # --reset and not -m: nothing lies there that has to be looked for before it is written.
    argv = ("read-tree", "--reset", "-u", tree)
    try:
        git.run(*argv)
    except GitError as error:
        if b"lfs" not in error.stderr:
            raise
        # It could not fetch something. What it has is written, and of the rest the pointers.
        git.having(GIT_LFS_SKIP_SMUDGE="1").run(*argv)
        git.run("lfs", "checkout", accept=range(256))
        return [f"git-lfs could not bring every file ({error.reason}); those are pointers there"]
    return []


def checkout_settings() -> Mapping[str, str]:
    """How files are written quickly."""
    # More workers than two to four gain nothing on two cores; below some hundred files, starting
    # them costs more than they save.
    return {
        "checkout.thresholdForParallelism": "400",
        "checkout.workers": str(max(2, min(8, os.cpu_count() or 1))),
        "index.sparse": "false",
    }


def _make_index(workspace: Workspace, base: Base) -> None:
    repository = workspace.repository
    # The times come along: an entry that is as young as its index has to stay so in the copy.
    shutil.copy2(workspace.private_index, repository.index)
    staged = base.index_tree or base.head or repository.empty_tree
    if staged not in (base.tree, base.commit):
        repository.git.configured(checkout_settings()).run("read-tree", "--reset", staged)


def _write_raw(workspace: Workspace, tree: str, paths: Collection[bytes]) -> None:
    # What the user's own filters refused to take is in the base as the bytes that lay there, and
    # has to lie here as the same bytes.
    git = workspace.repository.git
    for path, entry in entries_at(git, tree, [*paths]).items():
        if facts(workspace.path, path) is not None:
            with open(place(workspace.path, path), "wb") as file:
                git.copy_blob(entry.oid, file)
