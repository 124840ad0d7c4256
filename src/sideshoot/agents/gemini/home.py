"""Where Gemini CLI keeps its conversations, its login and its settings.

By its id it finds one only from the very folder that it was begun in, which is mostly gone. From
its file it goes on anywhere, in a new session with all that was said.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from sideshoot.agents.base import Grants


def granted() -> Grants:
    """What it has to write: its folder, but for its settings."""
    home = gemini_home()
    return Grants((home,), settings=(home / "settings.json",))


def gemini_home() -> Path:
    """Its folder; `GEMINI_CLI_HOME` names another place for it."""
    return Path(os.environ.get("GEMINI_CLI_HOME") or Path.home()) / ".gemini"


def session_file(session_id: str) -> Path | None:
    """The newest file of a session; `None` if there is none any more."""
    # A file's name ends with the first part of the id; what it holds tells the whole.
    pattern = f"*/chats/session-*-{session_id.partition('-')[0]}.json*"
    found = [file for file in (gemini_home() / "tmp").glob(pattern) if _id_in(file) == session_id]
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def forget_session(session_id: str) -> None:
    """Delete all that was said in a session, as far as it can be done."""
    file = session_file(session_id)
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink()


def _id_in(file: Path) -> Any:
    try:
        with file.open(encoding="utf-8") as lines:
            facts = json.loads(lines.readline())
    except (OSError, ValueError):
        return None
    return facts.get("sessionId") if isinstance(facts, dict) else None
