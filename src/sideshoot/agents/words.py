"""What a program said and how it ended, in one line that can be read."""

from __future__ import annotations

import subprocess
from typing import Any

from sideshoot.agents.command import signal_name

_LIMIT = 400


def one_line(text: Any) -> str:
    """All of it on one line, cut where it is too long to be read."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LIMIT else line[: _LIMIT - 1] + "…"


def how_it_ended(status: int | None) -> str:
    """An exit status as `subprocess` has it, negative for a signal, in words."""
    if status is None:
        return "stopped answering"
    return f"ended with status {status}" if status >= 0 else f"was ended by {signal_name(-status)}"


def why_silent(error: Exception) -> str:
    """Why a program gave no answer to a question that `subprocess` put to it."""
    match error:
        case subprocess.TimeoutExpired():
            return f"not within {error.timeout:g} seconds"
        case subprocess.CalledProcessError():
            return f"it {how_it_ended(error.returncode)}"
    return one_line(error)


def as_unicode(text: str) -> str:
    """Bytes that were no text become replacement characters: JSON takes nothing else.

    So do halves of characters that some JSON has held alone.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_unicode(text: str) -> bool:
    """Whether it is text, and holds no bytes that are none."""
    return as_unicode(text) == text
