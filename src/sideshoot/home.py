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
    named = os.environ.get("XDG_STATE_HOME", "")
    try:
        folder = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    except RuntimeError:
        raise CannotStart(
            f"you have no home folder, where {what} are kept; set HOME or XDG_STATE_HOME"
        ) from None
    return folder / "sideshoot"
