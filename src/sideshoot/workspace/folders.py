"""The folders that hold workspaces, where the user wants them elsewhere than in `.worktrees`.

Those that were ever used are noted, so that what is left in one is found after the user has chosen
another.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sideshoot.errors import CannotStart
from sideshoot.lock import locked
from sideshoot.text import show_path
from sideshoot.workspace import pool, trash
from sideshoot.workspace.exclude import FOLDER, line_for

if TYPE_CHECKING:
    from sideshoot.git import Repository

_NOTES = "folders.json"


class Used(NamedTuple):
    """A folder that holds or held workspaces of the working tree at `top`."""

    top: Path
    folder: Path
    made: tuple[Path, ...] = ()
    """What of its path was not there before, innermost first."""


def folder_for(repository: Repository, directory: Path | None = None) -> Path:
    """The folder for new workspaces.

    A workspace for work in a workspace lies beside that one.

    :param directory: what the user has chosen, relative to the top of the working tree.
    :raises CannotStart: it can't hold workspaces.
    """
    if _is_workspace(repository):
        return repository.top.parent
    if directory is None:
        return repository.top / FOLDER
    folder = Path(os.path.normpath(repository.top / directory.expanduser()))
    _refuse_gits_own(repository, folder)
    if folder.is_relative_to(repository.top) and folder != repository.top / FOLDER:
        _refuse_shared(repository, folder)
    return folder


def used_folders(repository: Repository) -> list[Used]:
    """The folders other than the default ones that workspaces of the repository were put in."""
    try:
        rows = json.loads((repository.state_dir / _NOTES).read_bytes())
        return [Used(Path(top), Path(folder), tuple(map(Path, made))) for top, folder, made in rows]
    except (OSError, ValueError, TypeError):
        return []


def lines_of_ours(repository: Repository) -> frozenset[bytes]:
    """The lines of `info/exclude` that may be Sideshoot's own."""
    default = Used(repository.top, repository.top / FOLDER)
    used = (default, *used_folders(repository))
    lines = (line_for(one.top, one.folder) for one in used)
    return frozenset(line for line in lines if line is not None)


def made_for(repository: Repository, folder: Path) -> tuple[Path, ...]:
    """What goes with a folder's last workspace, innermost first: what was made for the first."""
    return next((one.made for one in used_folders(repository) if one.folder == folder), ())


def note_folder(repository: Repository, folder: Path) -> None:
    """Remember that a folder is about to be used, and what of its path is there already."""
    is_default = folder == repository.top / FOLDER or _is_workspace(repository)
    if is_default or _is_noted(repository, folder):
        return
    repository.state_dir.mkdir(exist_ok=True)
    with locked(repository.state_dir / "exclude.lock"):
        if not _is_noted(repository, folder):
            used = Used(repository.top, folder, missing_of(folder))
            _write(repository, [*used_folders(repository), used])


def missing_of(folder: Path) -> tuple[Path, ...]:
    """What of a folder's path is not there, innermost first."""
    return tuple(one for one in (folder, *folder.parents) if not os.path.lexists(one))


def _is_noted(repository: Repository, folder: Path) -> bool:
    return any(one[:2] == (repository.top, folder) for one in used_folders(repository))


def _write(repository: Repository, folders: list[Used]) -> None:
    rows = [[str(one.top), str(one.folder), list(map(str, one.made))] for one in folders]
    fresh = repository.state_dir / f"{_NOTES}.new"
    fresh.write_text(json.dumps(rows), encoding="ascii")
    fresh.replace(repository.state_dir / _NOTES)


def _is_workspace(repository: Repository) -> bool:
    return (repository.git_dir / "sideshoot-index").exists()


def _refuse_gits_own(repository: Repository, folder: Path) -> None:
    resolved = folder.resolve()
    for place in (repository.git_dir, repository.common_dir):
        if resolved.is_relative_to(place.resolve()):
            raise CannotStart(
                f"worktree.dir names {show_path(folder)}, which is git's own; choose another folder"
            )


def _refuse_shared(repository: Repository, folder: Path) -> None:
    """What lies in a folder for workspaces is hidden from git: it may hold nothing of the user's."""
    if folder == repository.top:
        raise CannotStart("worktree.dir names the top of the working tree; choose a folder in it")
    path = str(folder.relative_to(repository.top))
    git = repository.git
    is_tracked = git.run("ls-files", "-z", "--", f":(top,literal){path}").stdout != b""
    has_others = any(not _is_ours(repository, folder / name) for name in _names(folder))
    if is_tracked or (has_others and not _is_ignored(repository, path)):
        raise CannotStart(
            f"worktree.dir names {show_path(folder)}, which holds other things than workspaces; "
            "git would no longer show those, so choose a folder of its own"
        )


def _is_ignored(repository: Repository, path: str) -> bool:
    words = ("check-ignore", "--stdin", "-z", "--quiet")
    return repository.git.run(*words, stdin=os.fsencode(path), accept=(0, 1)).status == 0


def _is_ours(repository: Repository, path: Path) -> bool:
    claim = repository.state_dir / "workspaces" / path.name
    return path.name.startswith((pool.PREFIX, trash.PREFIX)) or claim.is_dir()


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
