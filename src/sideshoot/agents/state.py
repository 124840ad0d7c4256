"""Where programs keep what they remember: the folders that a fence has to leave open for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Grants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level
    from sideshoot.model import Driver

# As of the XDG base directory specification.
BASES = {
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
}
_ADAPTED = ("claude", "codex", "gemini", "opencode")


def base_folder(name: str) -> Path:
    """The folder that a variable of `BASES` names, or its default."""
    named = os.environ.get(name)
    return Path(named) if named else Path.home() / BASES[name]


def state_of(driver: Driver, level: Level, mechanism: Mechanism) -> Grants:
    """What an agent that only the user knows may write.

    That is what their configuration names, the folders that bear its program's name, and if it is an
    adapter of a known agent (`codex-acp`), what that has to write.

    :raises CannotStart: the known agent can't work inside such a fence.
    """
    program = Path(driver.argv[0]).name
    known = [_of_known(name, level, mechanism) for name in _ADAPTED if name in program]
    folders = [Path(place).expanduser() for place in driver.writable]
    folders += [place for place in _named(program) if place.is_dir()]
    return Grants(
        (*folders, *(folder for it in known for folder in it.folders)),
        tuple(file for it in known for file in it.files),
        tuple(file for it in known for file in it.settings),
    )


def make_ready(driver: Driver) -> None:
    """Write what a known agent would write at its start, and can't inside a fence."""
    if "opencode" in Path(driver.argv[0]).name:
        from sideshoot.agents.opencode import folders  # noqa: PLC0415 - only for its adapter

        folders.make_settings_ready()


def _named(program: str) -> Iterator[Path]:
    yield Path.home() / f".{program}"
    yield from (base_folder(name) / program for name in BASES)


def _of_known(name: str, level: Level, mechanism: Mechanism) -> Grants:
    match name:
        case "claude":
            from sideshoot.agents.claude.home import granted  # noqa: PLC0415 - only for its adapter
        case "gemini":
            from sideshoot.agents.gemini.home import granted  # noqa: PLC0415
        case "opencode":
            from sideshoot.agents.opencode.folders import granted  # noqa: PLC0415
        case _:
            from sideshoot.agents.codex import fenced  # noqa: PLC0415

            return fenced.granted(level, mechanism)
    return granted()
