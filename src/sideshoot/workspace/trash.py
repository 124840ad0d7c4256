"""Folders that are to be deleted, out of the way by a rename, and deleted later by an idle process.

Run as a module with the folders to look after, and after `--` those to remove if they are empty:
`python -m sideshoot.workspace.trash FOLDER… -- FOLDER…`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.workspace.exclude import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PREFIX = ".sideshoot-trash-"
"""What a folder's name begins with when it lies in the trash; nobody else names one like this."""


def put_into_trash(path: Path, folder: Path | None = None) -> None:
    """Rename `path` to trash in `folder`, by default the one that it lies in.

    :raises OSError: it can't be renamed: a mount point, a file system that is read-only or another.
    """
    with contextlib.suppress(FileNotFoundError):
        path.rename((folder or path.parent) / f"{PREFIX}{secrets.token_hex(6)}")


def move_to_trash(path: Path, folder: Path) -> Path:
    """Rename a folder of any mode to trash in another folder; return where it is then.

    :raises OSError: it can't be renamed.
    """
    path.chmod(0o700)  # To rename a folder into another one is to write its `..`.
    target = folder / f"{PREFIX}{secrets.token_hex(6)}"
    path.rename(target)
    return target


def spawn_trash_removal(*folders: Path, made: Sequence[Path] = ()) -> None:
    """Start to empty the trash in `folders` by a detached process that yields to all others.

    Returns at once; where there is no trash, no process is started. If none can be started the
    trash stays for the next time.

    :param made: folders that go when they are empty after that, innermost first.
    """
    if not any(next(_trash_in(folder), None) for folder in folders):
        _remove_empty(folders, made)
        return
    spawn_idle("sideshoot.workspace.trash", *map(str, folders), "--", *map(str, made))


def spawn_idle(module: str, *words: str) -> None:
    """Start a module of ours as a detached process that yields to all others, if that can be done."""
    command = [sys.executable, "-P", "-m", module, *words]
    # The shell ends at once and leaves its child to init: nobody has to wait for that one.
    script = 'nice -n 19 "$@" </dev/null >/dev/null 2>&1 &'
    with contextlib.suppress(OSError):
        subprocess.run(
            ["/bin/sh", "-c", script, "sh", *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def empty_trash(*folders: Path, made: Sequence[Path] = ()) -> None:
    """Delete the trash in `folders`, and those that were made for workspaces and are empty then.

    What can't be deleted stays where it is. Several processes may do this at once.
    """
    for folder in folders:
        for path in list(_trash_in(folder)):
            _delete(path)
    _remove_empty(folders, made)


def _trash_in(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                yield Path(entry.path)


def _remove_empty(folders: Sequence[Path], made: Sequence[Path]) -> None:
    for folder in (*(one for one in folders if one.name == FOLDER), *made):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _delete(trash: Path) -> None:
    """Delete a folder of any depth without ever entering a mounted file system or a link.

    Each folder inside is first renamed to lie beside `trash`. So paths never grow too long; and a
    mount point can't be renamed, so that it is never entered.
    """
    waiting = [trash]
    while waiting:
        folder = waiting.pop()
        if folder.is_symlink() or not folder.is_dir():
            with contextlib.suppress(OSError):
                folder.unlink()
            continue
        waiting += _clear(folder, trash.parent)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _clear(folder: Path, beside: Path) -> list[Path]:
    """Delete the files of a folder, and return where its folders have gone."""
    moved = []
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    moved.append(move_to_trash(Path(entry.path), beside))
                else:
                    os.unlink(entry.path)
    return moved


def be_idle() -> None:
    """Yield the disk to all others, where the system can tell who comes first."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import psutil  # noqa: PLC0415 - only the process that deletes needs it

        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


if __name__ == "__main__":
    be_idle()
    _end = sys.argv.index("--")
    empty_trash(*map(Path, sys.argv[1:_end]), made=[*map(Path, sys.argv[_end + 1 :])])
