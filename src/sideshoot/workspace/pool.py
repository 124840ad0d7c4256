"""The pool: folders of finished workspaces, held to be used again.

::

    prepare    who opens a workspace notes what its files are
    offer      who removes it puts the folder into the pool, by a rename
               an idle process makes it what it was when it was opened, and seals it (`cleaning`)
    take       who opens another workspace gives the folder its new place, by a rename (`reopening`)

Only the folder is used again. All of git's (branch, HEAD, index, configuration, hooks, what is
unfinished) is made anew, as for any workspace.

What is known of a folder, its *entry*, lies in the state directory, out of an agent's way: first in
the workspace's claim, then in `pool/`. Entry and folder move under one lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import Busy
from sideshoot.lock import is_held, locked
from sideshoot.workspace.scratch import copy_index
from sideshoot.workspace.steps import reached
from sideshoot.workspace.trash import put_into_trash, spawn_idle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

TAKEN = "taken"
"""The name of an entry in the claim of the workspace that is opened by it."""

PREFIX = ".sideshoot-pool-"
"""What the name of a folder in the pool begins with; the rest is its entry's name."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is to be known of a folder before it can be used again."""

    parent: str
    """The folder of workspaces that it lies in. It is relative where it lies beside the git directory
    or below, so that the repository may be moved."""
    tree: str
    """What its files are."""
    manner: str
    """How git wrote them; see `sideshoot.workspace.manner`."""
    nature: str
    """What new folders there are like; see `sideshoot.workspace.pool_seal`."""
    caches: tuple[str, ...]
    """What stays in it though git ignores it."""
    limit: int
    """So many folders the pool holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder that is in the pool, or on its way."""

    place: Path
    """Where what is known of it lies."""
    common_dir: Path
    facts: Facts

    @property
    def index(self) -> Path:
        """An index with the stat data of the folder's files."""
        return self.place / "index"

    @property
    def seal(self) -> Path:
        """A file that says that the folder is clean; see `sideshoot.workspace.pool_seal`."""
        return self.place / "seal"

    @property
    def lock(self) -> Path:
        """Held by who cleans the folder."""
        return self.place / "lock"

    @property
    def released_at(self) -> float:
        """When it came into the pool, in seconds since the epoch."""
        return _age(self.place)

    @property
    def parent(self) -> Path:
        """The folder of workspaces that it lies in."""
        return self.common_dir.parent / self.facts.parent

    @property
    def folder(self) -> Path:
        """Where the folder lies while it is in the pool."""
        return self.parent / f"{PREFIX}{self.place.name}"


def prepare(
    workspace: Workspace,
    *,
    tree: str,
    manner: str,
    nature: str,
    caches: tuple[str, ...],
    limit: int,
) -> None:
    """Note of a workspace that is open, and that no agent has seen, that it may be used again."""
    parent, beside = workspace.path.parent, _common_dir(workspace).parent
    shown = os.path.relpath(parent, beside) if parent.is_relative_to(beside) else str(parent)
    facts = Facts(shown, tree, manner, nature, caches, limit)
    entry = Entry(workspace.claim / "reusable.new", _common_dir(workspace), facts)
    entry.place.mkdir()
    copy_index(workspace.private_index, entry.index)
    (entry.place / "facts.json").write_text(json.dumps(asdict(facts)), encoding="ascii")
    entry.place.rename(_reusable(workspace))


def offer(workspace: Workspace) -> bool:
    """Move the folder of a workspace into the pool, if it may be used again; whether it was moved.

    Where that is one too many, the oldest folder of the pool goes to the trash.

    :raises OSError: it can't be moved.
    """
    found = _read(_reusable(workspace), _common_dir(workspace))
    if found is None or workspace.path.is_symlink() or not workspace.path.is_dir():
        return False
    try:
        with locked(_lock(_common_dir(workspace))):
            _shrink(_common_dir(workspace), found.facts.limit - 1)
            place = _pool(_common_dir(workspace)) / secrets.token_hex(6)
            place.parent.mkdir(exist_ok=True)
            entry = Entry(found.place.rename(place), _common_dir(workspace), found.facts)
            os.utime(entry.place / "facts.json")
            reached("pool.offered")
            workspace.path.rename(entry.folder)
    except Busy:
        return False
    reached("pool.released")
    return True


def take(workspace: Workspace, tree: str) -> Entry | None:
    """Give the newest clean folder of the pool the place of a new workspace.

    Of many who take at once, each gets another one. The entry is in the workspace's claim then.

    :param workspace: it has its claim, and its folder is empty.
    :param tree: a folder that has this one already is preferred.
    """
    with locked(_lock(_common_dir(workspace))):
        ready = [it for it in entries(_common_dir(workspace)) if it.seal.exists()]
        ready.sort(key=lambda entry: entry.facts.tree == tree)
        while ready:
            entry = ready.pop()
            if entry.parent == workspace.path.parent and _is_own(entry.folder):
                with contextlib.suppress(OSError):
                    return _taken(entry, workspace)
    return None


def entries(common_dir: Path) -> list[Entry]:
    """What is in the pool, the oldest first."""
    found = (_read(place, common_dir) for place in sorted(_places(common_dir), key=_age))
    return [entry for entry in found if entry is not None]


def shrink(common_dir: Path, limit: int) -> list[Path]:
    """Move what is too much to the trash, the oldest first; return the folders with that trash."""
    if not _pool(common_dir).is_dir():
        return []
    with locked(_lock(common_dir)):
        return _shrink(common_dir, limit)


def drop(entry: Entry) -> None:
    """Move a folder of the pool to the trash, if it still is there."""
    with locked(_lock(entry.common_dir)):
        _drop(entry)


def is_any_to_clean(common_dir: Path) -> bool:
    """Whether a folder of the pool has to be cleaned, and nobody is at it."""
    found = entries(common_dir)
    return any(not entry.seal.exists() and not is_held(entry.lock) for entry in found)


def spawn_cleaning(repository: Repository, *parents: Path) -> None:
    """Have an idle process clean what waits for it, and empty the trash.

    :param repository: a working tree of the user's, whose configuration counts.
    :param parents: the folders of workspaces whose trash is emptied.
    """
    words = map(str, (repository.top, *parents))
    spawn_idle("sideshoot.workspace.cleaning", *words)


def sweep(common_dir: Path, parents: Iterable[Path]) -> None:
    """Move to the trash what somebody who was killed left: a folder without an entry, and the reverse.

    :param parents: the folders of workspaces.
    """
    with locked(_lock(common_dir)):
        known = entries(common_dir)
        for entry in known:
            if not entry.folder.is_dir():
                _drop(entry)
        _trash_strays(parents, {entry.folder for entry in known})
        unreadable = {*_places(common_dir)} - {entry.place for entry in known}
        for place in unreadable:
            with contextlib.suppress(OSError):
                put_into_trash(place, common_dir / "sideshoot")


def _taken(entry: Entry, workspace: Workspace) -> Entry:
    place = entry.place.rename(workspace.claim / TAKEN)
    reached("pool.taken")
    entry.folder.rename(workspace.path)
    return Entry(place, _common_dir(workspace), entry.facts)


def _is_own(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return folder.stat().st_uid == os.getuid()
    return False


def _shrink(common_dir: Path, limit: int) -> list[Path]:
    known = entries(common_dir)
    going = known[: max(0, len(known) - max(0, limit))]
    for entry in going:
        _drop(entry)
    return [entry.parent for entry in going]


def _drop(entry: Entry) -> None:
    with contextlib.suppress(OSError):  # Then the next sweep tries again.
        put_into_trash(entry.place, entry.common_dir / "sideshoot")
        put_into_trash(entry.folder)


def _trash_strays(parents: Iterable[Path], known: Collection[Path]) -> None:
    for parent in parents:
        for folder in parent.glob(f"{PREFIX}*"):
            if folder not in known:
                with contextlib.suppress(OSError):
                    put_into_trash(folder)


def _read(place: Path, common_dir: Path) -> Entry | None:
    try:
        told = json.loads((place / "facts.json").read_bytes())
        return Entry(place, common_dir, Facts(**{**told, "caches": tuple(told["caches"])}))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _places(common_dir: Path) -> list[Path]:
    try:
        return [*_pool(common_dir).iterdir()]
    except OSError:
        return []


def _age(place: Path) -> float:
    with contextlib.suppress(OSError):
        return (place / "facts.json").stat().st_mtime
    return 0.0


def _common_dir(workspace: Workspace) -> Path:
    # The user's, whatever git directory the workspace itself has.
    return workspace.claim.parents[2]


def _reusable(workspace: Workspace) -> Path:
    return workspace.claim / "reusable"


def _pool(common_dir: Path) -> Path:
    return common_dir / "sideshoot" / "pool"


def _lock(common_dir: Path) -> Path:
    return common_dir / "sideshoot" / "pool.lock"
