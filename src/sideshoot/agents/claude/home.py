"""Where Claude Code keeps what it remembers."""

from __future__ import annotations

import os
from pathlib import Path

from sideshoot.agents.base import Grants


def granted() -> Grants:
    """What it has to write: its folder, and what it knows of projects and logins."""
    home = claude_home()
    settings = (home / "settings.json", home / "settings.local.json")
    return Grants((home,), (_facts_file(home),), settings)


def claude_home() -> Path:
    """Its folder; `CLAUDE_CONFIG_DIR` names another one."""
    named = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(named) if named else Path.home() / ".claude"


def _facts_file(home: Path) -> Path:
    """It lies beside the folder by default, and in one that was named."""
    folder = home if os.environ.get("CLAUDE_CONFIG_DIR") else Path.home()
    return folder / ".claude.json"
