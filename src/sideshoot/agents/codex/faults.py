"""Why Codex failed, in one line that says what to do."""

from __future__ import annotations

from typing import Any

from sideshoot.agents.words import one_line

LOG_IN = "codex login"
INSTALL = "npm install -g @openai/codex"

_WORDS = {
    "contextWindowExceeded": "the conversation no longer fits the model; start afresh with --fresh",
    "usageLimitExceeded": "the account's usage limit is reached; try again later",
    "modelNotFound": "there is no such model; choose another with --model",
    "serverOverloaded": "the model provider is overloaded; try again later",
}


def explain(error: Any) -> str:
    """A turn's `error` (`TurnError`) as one line."""
    facts = error if isinstance(error, dict) else {"message": error}
    said = one_line(facts.get("message") or "Codex gave no reason")
    kind, status = _kind_and_status(facts.get("codexErrorInfo"))
    if status in (401, 403) or kind == "unauthorized":
        return f"Codex is not logged in, or its login was refused; run `{LOG_IN}` ({said})"
    if status == 429 or kind == "rateLimitExceeded":
        return f"the model provider takes no more requests for now; try again later ({said})"
    if status >= 500 or kind == "internalServerError":
        return f"the model provider failed; try again later ({said})"
    if kind.startswith("responseStream") or said.startswith("stream disconnected"):
        return f"the connection to the model broke off; try again ({said})"
    return f"{_WORDS[kind]} ({said})" if kind in _WORDS else said


def _kind_and_status(info: Any) -> tuple[str, int]:
    """`"other"`, or `{"httpConnectionFailed": {"httpStatusCode": 401}}`."""
    if isinstance(info, dict) and info:
        kind, detail = next(iter(info.items()))
        status = detail.get("httpStatusCode") if isinstance(detail, dict) else None
        return str(kind), status or 0
    return (info, 0) if isinstance(info, str) else ("", 0)
