"""Codex inside a fence of ours, with its own sandbox inside that."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Grants
from sideshoot.agents.codex.temporary import SHARED_TEMPORARY
from sideshoot.agents.surroundings import refuse_offline
from sideshoot.errors import CannotStart
from sideshoot.fence.mechanism import Kind
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level

_INSTEAD = "Codex has a sandbox of its own, so choose --sandbox off"


def granted(level: Level, mechanism: Mechanism) -> Grants:
    """What Codex has to write in.

    :raises CannotStart: it can't work inside such a fence.
    """
    home = codex_home()
    refuse_offline("codex", level)
    if mechanism.kind is not Kind.BUBBLEWRAP:
        raise CannotStart(
            f"--sandbox {level} is not possible with codex here: {mechanism.why}, and inside a fence "
            f"of Landlock Codex can't put up its sandbox; {_INSTEAD}"
        )
    if home.resolve().is_relative_to(SHARED_TEMPORARY):
        # It has to have a program of its own there, and won't among temporary files (Codex 0.169).
        raise CannotStart(
            f"--sandbox {level} is not possible with codex, as its home {show_path(home)} lies among "
            f"temporary files; {_INSTEAD}"
        )
    return Grants((home,), settings=(home / "config.toml",))


def codex_home() -> Path:
    """Where Codex has its configuration, its login and its conversations."""
    named = os.environ.get("CODEX_HOME")
    return Path(named) if named else Path.home() / ".codex"
