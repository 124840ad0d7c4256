"""The folder from which Claude Code takes the plugin: a copy of the package's, with the program's full path."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.hosts.program import as_shell, program
from sideshoot.text import show_path

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

STARTER = "sideshoot/scripts/sideshoot"
"""The one file of the plugin that names the program; the others call it."""


class Marketplace:
    """What lies, or shall lie, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_current(self) -> bool:
        """Whether all lies there as this Sideshoot would put it, and nothing else does."""
        wanted = _contents()
        found = {
            path.relative_to(self.folder).as_posix(): path
            for path in self.folder.rglob("*")
            if path.is_file()
        }
        return found.keys() == wanted.keys() and all(
            path.read_bytes() == wanted[name] for name, path in found.items()
        )

    def fill(self) -> None:
        """Put it there as a whole, in the place of an older one.

        :raises CannotStart: it can't be written.
        """
        above = self.folder.parent
        try:
            above.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".claude-", dir=above) as scratch:
                fresh = Path(scratch) / "fresh"
                for name, content in _contents().items():
                    file = fresh / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
                if os.path.lexists(self.folder):
                    self.folder.rename(Path(scratch) / "old")
                fresh.rename(self.folder)
        except OSError as error:
            raise CannotStart(f"can't write {show_path(self.folder)}: {error.strerror}") from None

    def remove(self) -> None:
        """Take it away, and the folder of Sideshoot's above if nothing else lies there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with_nothing = self.folder.parent
        if with_nothing.is_dir() and not any(with_nothing.iterdir()):
            with_nothing.rmdir()


def _contents() -> dict[str, bytes]:
    """Each file by its name below the folder."""
    found = dict(_below(files("sideshoot") / "plugin" / "claude", ""))
    line = f'exec {as_shell(program())} "$@"'
    return {**found, STARTER: f"#!/bin/sh\n{line}\n".encode()}


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _below(entry, f"{name}/")
        else:
            found.append((name, entry.read_bytes()))
    return found
