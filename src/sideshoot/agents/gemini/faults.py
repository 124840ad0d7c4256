"""Why Gemini CLI failed, in one line that says what to do."""

from __future__ import annotations

from typing import Any

from sideshoot.agents.words import one_line

INSTALL = "npm install -g @google/gemini-cli"
LOG_IN = "gemini"
NOT_LOGGED_IN = 41
"""Its exit status where it has no login to begin with."""

_STATUSES = {
    52: "its settings are not valid",
    53: "the number of turns that Gemini CLI is configured with is used up",
}


def http_status(exit_status: int | None) -> int:
    """The provider's answer in an exit status, which is that modulo 256; 0 if it is none.

    401 comes as 145. Below 144 stand the program's own statuses, and those of signals.
    """
    return exit_status + 256 if exit_status is not None and 144 <= exit_status <= 255 else 0


def explain(result: dict[str, Any], exit_status: int | None, told: str = "") -> str:
    """A `result` without success as one line.

    :param told: the last error that was told before it.
    """
    error = result.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    said = one_line(message or told or "Gemini CLI gave no reason")
    status = http_status(exit_status)
    if status in (401, 403) or exit_status == NOT_LOGGED_IN:
        return f"Gemini CLI is not logged in, or its login was refused; run `{LOG_IN}` ({said})"
    if status == 429:
        return f"the model provider takes no more requests for now; try again later ({said})"
    if status >= 500:
        return f"the model provider failed; try again later ({said})"
    if status == 404:
        return f"there is no such model; choose another with --model ({said})"
    if "without a finish reason" in said or "fetch failed" in said or "terminated" in said:
        return f"the connection to the model broke off; try again ({said})"
    if exit_status in _STATUSES:
        return f"{_STATUSES[exit_status]} ({said})"
    return said
