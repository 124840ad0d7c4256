"""Open a workspace by a folder of the pool: only what differs from the base is written.

What comes from the pool is what a new folder would be, or it is not used. Between its cleaning and now
somebody may have been at it; and git may write files in another manner by now. Such a folder goes to
the trash, and the next one is tried.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import Busy, GitError
from sideshoot.git.trees import parse_raw
from sideshoot.workspace import pool
from sideshoot.workspace.caches import (
    as_paths,
    in_the_way,
    note_survivors,
    shown_to_git,
    survivors,
)
from sideshoot.workspace.checkout import checkout_settings
from sideshoot.workspace.copying import ATTRIBUTES
from sideshoot.workspace.manner import manner_of
from sideshoot.workspace.occupants import is_occupied
from sideshoot.workspace.places import parents, place
from sideshoot.workspace.pool_seal import comparing_files, git_in, is_unbroken, nature
from sideshoot.workspace.steps import reached
from sideshoot.workspace.trash import move_to_trash, put_into_trash, spawn_trash_removal

if TYPE_CHECKING:
    from collections.abc import Collection

    from sideshoot.git import Git, Repository
    from sideshoot.workspace.base import Base
    from sideshoot.workspace.place import Workspace
    from sideshoot.workspace.pool import Entry

_DIFFERENT = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--ignore-submodules=none")


@dataclass(frozen=True, slots=True)
class Reuse:
    """What is to become of a workspace once it is finished."""

    limit: int = 0
    """So many are held to be used again."""
    caches: tuple[str, ...] = ()
    """Paths relative to the top that stay in them though git ignores them."""


NO_REUSE = Reuse()


def may_reopen(repository: Repository, reuse: Reuse) -> bool:
    """Whether there is something to be used again, which takes no room."""
    return reuse.limit > 0 and any(it.seal.exists() for it in pool.entries(repository.common_dir))


def reopen(repository: Repository, workspace: Workspace, base: Base, reuse: Reuse) -> Path | None:
    """Fill the empty folder of a new workspace from the pool.

    :param repository: the user's working tree.
    :param workspace: claimed, and not known to git yet.
    :return: an index of the base with the files' stat data; `None` if nothing in the pool will do, and
        the folder is empty then.
    """
    leaving: list[Path] = []
    known = None
    with contextlib.suppress(Busy):  # A new folder will do.
        leaving += pool.shrink(repository.common_dir, reuse.limit)
    if _takes_part(repository, repository.git_dir, base, reuse):
        known = _filled(repository, workspace, base, reuse, leaving)
    if pool.is_any_to_clean(repository.common_dir):  # Who was to do it was killed.
        pool.spawn_cleaning(repository, workspace.path.parent)
    if leaving:
        spawn_trash_removal(*dict.fromkeys(leaving), repository.state_dir)
    return known


def foresee(repository: Repository, workspace: Workspace, base: Base, reuse: Reuse) -> None:
    """Note of a workspace whose files were just written how it can be used again.

    Where it can't be noted, it will not be.
    """
    shutil.rmtree(workspace.claim / pool.TAKEN, ignore_errors=True)
    if not _takes_part(repository, workspace.git_dir, base, reuse):
        return
    with contextlib.suppress(OSError):
        pool.prepare(
            workspace,
            tree=base.tree,
            manner=manner_of(repository),
            nature=nature(workspace.path),
            caches=reuse.caches,
            limit=reuse.limit,
        )


def _filled(
    repository: Repository, workspace: Workspace, base: Base, reuse: Reuse, leaving: list[Path]
) -> Path | None:
    """Try what is in the pool, one after another; `leaving` gets the places of new trash."""
    like = nature(workspace.path), manner_of(repository)
    while (entry := _taken(workspace, base)) is not None:
        git = git_in(repository, workspace.path, entry.index).configured(checkout_settings())
        candidate = _Candidate(workspace, entry, git)
        with contextlib.suppress(OSError, GitError, ValueError):
            if candidate.is_fit(*like) and candidate.become(base, reuse):
                return entry.index
        candidate.throw_away()
        leaving.append(workspace.path.parent)
    return None


def _taken(workspace: Workspace, base: Base) -> Entry | None:
    with contextlib.suppress(Busy):
        return pool.take(workspace, base.tree)
    return None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A folder from the pool in the place of a new workspace."""

    workspace: Workspace
    entry: Entry
    git: Git
    """For the files in it, by the entry's index."""

    def is_fit(self, nature: str, manner: str) -> bool:
        """Whether it is what was sealed, nobody is there to change it, and git would write it so."""
        facts, top = self.entry.facts, self.workspace.path
        if (nature, manner) != (facts.nature, facts.manner) or is_occupied(top):
            return False
        with comparing_files(self.git) as are_files_same:  # From here on, git is in it.
            return is_unbroken(top, self.entry.seal.read_bytes()) and are_files_same()

    def become(self, base: Base, reuse: Reuse) -> bool:
        """Write what differs from the base; whether it is to be had this way."""
        different = parse_raw(self.git.run(*_DIFFERENT, base.tree, "--").stdout)
        paths = [delta.path for delta in different]
        if any(path.endswith(ATTRIBUTES) for path in paths):
            return False  # Such a file says how others are written.
        caches = {*survivors(self.entry.place)}
        staying = caches & as_paths(reuse.caches)
        staying -= in_the_way(staying, paths)
        self._remove(caches - staying)
        if paths:
            self.git.run("read-tree", "-m", "-u", base.tree)
        shown = shown_to_git(self.git, staying)
        self._remove(shown)
        note_survivors(self.workspace.claim, staying - shown)
        reached("pool.brought")
        return True

    def _remove(self, caches: Collection[bytes]) -> None:
        top = self.workspace.path
        for path in caches:
            move_to_trash(Path(os.fsdecode(place(top, path))), top.parent)
            with contextlib.suppress(OSError):  # Other things are in the folder above.
                for folder in reversed(parents(path)):
                    os.rmdir(place(top, folder))

    def throw_away(self) -> None:
        put_into_trash(self.workspace.path)
        shutil.rmtree(self.entry.place, ignore_errors=True)
        self.workspace.path.mkdir()


def _takes_part(repository: Repository, git_dir: Path, base: Base, reuse: Reuse) -> bool:
    """Whether a working tree with this git directory and base can be used again, or made so."""
    is_sparse = (git_dir / "info" / "sparse-checkout").exists()
    # With these, git itself has to make a workspace known, and does so only with an empty folder.
    has_reftables = (repository.common_dir / "reftable").is_dir()
    return reuse.limit > 0 and not (base.raw or is_sparse or has_reftables)
