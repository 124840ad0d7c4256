"""Where OpenCode keeps what it remembers, and its settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Grants
from sideshoot.agents.state import BASES, base_folder

if TYPE_CHECKING:
    from sideshoot.agents.base import Task

SETTINGS = ".opencode"
"""The folder of a project's own settings, commands and agents."""

_NOT_FOR_GIT = "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore"


def granted() -> Grants:
    """What it has to write: its sessions and its login, its state, and its cache."""
    return Grants(tuple(base_folder(name) / "opencode" for name in BASES))


def make_settings_ready() -> None:
    """Write into its folders of settings what it would write at its start, and can't in a fence.

    It does without what it installs there, but not without this (1.18.33).
    """
    own = _configuration() / "opencode"
    own.mkdir(parents=True, exist_ok=True)
    for folder in (own, *_others()):
        file = folder / ".gitignore"
        if not file.exists():
            file.write_text(_NOT_FOR_GIT)


def writes_beside_settings(task: Task) -> bool:
    """Whether OpenCode would put a `.gitignore` beside settings that the task may only look at.

    Where it can't, it does not begin (1.18.33).
    """
    folders = [task.folder, *task.folder.parents]
    inside = [it for it in folders if it.is_relative_to(task.top)]
    places = [folder / SETTINGS for folder in inside]
    return any(it.is_dir() and not (it / ".gitignore").exists() for it in places)


def _others() -> list[Path]:
    named = os.environ.get("OPENCODE_CONFIG_DIR")
    places = [Path.home() / SETTINGS, *([Path(named)] if named else [])]
    return [place for place in places if place.is_dir()]


def _configuration() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME")
    return Path(named) if named else Path.home() / ".config"
