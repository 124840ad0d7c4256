"""The command line that puts a fence up by Landlock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.fence.model import Fence

ENTER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("enter.py")))
"""What runs last before the program; isolated, since a workspace may hold modules of any name."""


def landlock_argv(fence: Fence) -> list[str]:
    """What comes before the program's own arguments.

    :raises CannotStart: a place that shall be writable is not there.
    """
    places = [*fence.writable, *([fence.temp] if fence.temp else [])]
    for place in places:
        if not place.exists():
            raise CannotStart(
                f"the fence can't be put up: {show_path(place)} is not there; nothing was started"
            )
    return [*ENTER, "landlock", *(str(place.resolve()) for place in places), "--"]
