"""Where Sideshoot keeps what is the user's and belongs to no repository."""

from __future__ import annotations

import os
from pathlib import Path

from sideshoot.errors import CannotStart


def state_folder(what: str) -> Path:
    """The user's state folder, by the XDG base directory specification; it need not exist yet.

    :param what: what is kept there, for the error.
    :raises CannotStart: the user has no home folder.
    """
    return _folder("XDG_STATE_HOME", ".local/state", what)


def data_folder(what: str) -> Path:
    """The user's data folder, where lies what other programs read.

    :param what: what is kept there, for the error.
    :raises CannotStart: the user has no home folder.
    """
    return _folder("XDG_DATA_HOME", ".local/share", what)


def _folder(variable: str, name: str, what: str) -> Path:
    named = os.environ.get(variable, "")
    try:
        folder = Path(named) if named.startswith("/") else Path.home() / name
    except RuntimeError:
        raise CannotStart(
            f"you have no home folder, where {what} are kept; set HOME or {variable}"
        ) from None
    return folder / "sideshoot"
