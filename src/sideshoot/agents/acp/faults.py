"""Why an agent failed, in one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.acp.connection import why
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from sideshoot.agents.rpc import Refused

AUTH_REQUIRED = -32000
AFRESH = "start afresh with --fresh"
GONE = f"this conversation is no longer there; {AFRESH}"

_STOPS = {
    "max_tokens": "the model's answer was cut off at its greatest length; try a smaller task",
    "max_turn_requests": "the turns that the agent is configured with are used up",
    "refusal": "the model refused to go on",
    "cancelled": "the turn was cancelled",
}


def explain(name: str, refusal: Refused) -> str:
    """An error that a turn was answered with."""
    said = one_line(why(refusal))
    lower = said.lower()
    if refusal.code in (AUTH_REQUIRED, 401, 403):
        return f"{name} is not logged in, or its login was refused ({said})"
    if refusal.code == 429 or "rate limit" in lower or "429" in lower:
        return f"the model provider takes no more requests for now; try again later ({said})"
    return f"{name}: {said}"


def why_unfinished(reason: Any) -> str | None:
    """Why a turn that stopped for this reason did not succeed; `None` if it came to its end."""
    if reason == "end_turn":
        return None
    return _STOPS.get(str(reason), f"the turn stopped for a reason unknown here: {reason}")


def how_to_log_in(name: str, methods: Any) -> str:
    """What to do where an agent wants to be logged in to.

    :param methods: its `authMethods`.
    """
    known = [it for it in methods if isinstance(it, dict)] if isinstance(methods, list) else []
    told = [str(it.get("description") or it.get("name") or it.get("id")) for it in known]
    ways = f" ({one_line('; '.join(told))})" if told else ""
    return f"{name} is not logged in; log in with its own program{ways}"
