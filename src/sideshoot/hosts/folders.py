"""Folders of hosts."""

from __future__ import annotations

import os
from pathlib import Path

from sideshoot.errors import CannotStart


def folder_of(variable: str, name: str) -> Path:
    """A host's own folder: the one that its variable names, else `name` in the user's home.

    :raises CannotStart: the user has no home folder.
    """
    named = os.environ.get(variable, "") if variable else ""
    if named:
        return Path(named).absolute()
    try:
        return Path.home() / name
    except RuntimeError:
        raise CannotStart("you have no home folder, where hosts look; set HOME") from None
