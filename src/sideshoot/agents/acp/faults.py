"""Why an agent failed, in one line that says what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sideshoot.agents.acp.connection import why
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from sideshoot.agents.rpc import Refused

    Facts = dict[str, Any]

AUTH_REQUIRED = -32000
AFRESH = "start afresh with --fresh"
GONE = f"this conversation is no longer there; {AFRESH}"

_STOPS = {
    "max_tokens": "the model's answer was cut off at its greatest length; try a smaller task",
    "max_turn_requests": "the turns that the agent is configured with are used up",
    "refusal": "the model refused to go on",
    "cancelled": "the turn was cancelled",
}


# Many agents give the provider's status in words alone: "API Error: Request rejected (429)".
_STATUS = re.compile(r"\b(?:api error|http|status)\b\D{0,24}(\d{3})\b", re.IGNORECASE)


def explain(name: str, refusal: Refused) -> str:
    """An error that a turn was answered with."""
    said = one_line(why(refusal))
    return _explained(name, _sort_of(refusal.code, said), said)


def failure_in(facts: Facts) -> Facts | None:
    """What codex-acp tells beside a turn's answer, or an update, that seems to be well.

    It has a `category` (access, connection, limit, request, service), a `severity` and a `title`.
    """
    for name in ("_meta", "jetbrains", "air", "sessionFailure"):
        inner = facts.get(name)
        if not isinstance(inner, dict):
            return None
        facts = inner
    return facts


def explain_failure(name: str, failure: Facts) -> str | None:
    """The same for a failure that was told so; `None` if it was got over."""
    if failure.get("severity") != "error":
        return None
    said = one_line(failure.get("title") or "no reason given")
    return _explained(name, str(failure.get("category")), said)


def _sort_of(code: int, said: str) -> str:
    found = _STATUS.search(said)
    status = int(found[1]) if found else code
    if code == AUTH_REQUIRED or status in (401, 403):
        return "access"
    if status == 429 or "rate limit" in said.lower():
        return "limit"
    return "service" if 500 <= status < 600 else "other"


def _explained(name: str, sort: str, said: str) -> str:
    match sort:
        case "access":
            return f"{name} is not logged in, or its login was refused ({said})"
        case "limit" if "context" in said.lower():
            return f"the conversation no longer fits the model; {AFRESH} ({said})"
        case "limit":
            return f"the model provider takes no more requests for now; try again later ({said})"
        case "service" | "connection":
            return f"the model provider failed; try again later ({said})"
        case _:
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
