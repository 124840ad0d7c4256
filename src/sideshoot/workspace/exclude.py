"""The line that keeps workspaces out of `git status`.

git reads `info/exclude` from the common directory only, so that one line there serves the main
working tree and all linked ones (gitrepository-layout, "info/exclude").
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.lock import locked
from sideshoot.text import show_path

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository

FOLDER = ".worktrees"
"""Where workspaces lie by default, in the working tree's top folder."""


def exclude_folder(repository: Repository, folder: Path) -> None:
    """See to it that git ignores `folder`, if it can lie in a working tree of the repository.

    :raises CannotStart: the line is needed and can't be written.
    """
    line = line_for(repository.top, folder)
    file = repository.common_dir / "info" / "exclude"
    try:
        if line is not None and not _holds(file, line):
            _add(file, line, repository.state_dir)
    except OSError as error:
        raise CannotStart(
            f"can't exclude {show_path(folder)} from git status: {error.strerror}: "
            f"{show_path(error.filename or file)}"
        ) from None


def line_for(top: Path, folder: Path) -> bytes | None:
    """The line that `exclude_folder` writes; `None` where none is needed."""
    if folder.name == FOLDER:
        # No slash at the end: the pattern has to match a link to a folder elsewhere, too.
        return b"/" + FOLDER.encode()
    if not folder.is_relative_to(top) or folder == top:
        return None
    relative = os.fsencode(folder.relative_to(top))
    if b"\n" in relative:
        raise CannotStart(f"{show_path(folder)} can't hold workspaces: its name has a line break")
    escaped = re.sub(rb"([\\*?\[])", rb"\\\1", relative)
    return b"/" + re.sub(rb" $", rb"\\ ", escaped)


def _holds(file: Path, line: bytes) -> bool:
    try:
        return line in file.read_bytes().splitlines()
    except FileNotFoundError:
        return False


def _add(file: Path, line: bytes, state_dir: Path) -> None:
    state_dir.mkdir(exist_ok=True)
    file.parent.mkdir(exist_ok=True)
    with locked(state_dir / "exclude.lock"):
        if _holds(file, line):
            return
        with file.open("ab+") as out:
            out.write(_separator(file) + line + b"\n")


def _separator(file: Path) -> bytes:
    text = file.read_bytes()
    return b"" if not text or text.endswith(b"\n") else b"\n"
