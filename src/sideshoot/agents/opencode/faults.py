"""Why OpenCode failed, in one line that says what to do."""

from __future__ import annotations

from typing import Any

from sideshoot.agents.words import one_line

LOG_IN = "opencode auth login"
INSTALL = "npm install -g opencode-ai@1"

ABORTED = "MessageAbortedError"
BROKEN_OFF = "the connection to the model broke off; try again"

_WORDS = {
    "ContentFilterError": "the model provider's filter refused the answer",
    "ContextOverflowError": (
        "the conversation no longer fits the model; start afresh with --fresh"
    ),
    "MessageOutputLengthError": "the answer is longer than the model may give",
    "ProviderAuthError": f"OpenCode's login was refused; run `{LOG_IN}`",
}

_UNFINISHED = {
    "content-filter": _WORDS["ContentFilterError"],
    "length": _WORDS["MessageOutputLengthError"],
    "tool-calls": "OpenCode ended the turn before the model was done",
}


def explain(error: Any) -> str:
    """The `error` of a message or of the session, `{"name": …, "data": {"message": …}}`."""
    facts = error if isinstance(error, dict) else {"data": {"message": error}}
    data = facts.get("data")
    inner = data if isinstance(data, dict) else {}
    name = str(facts.get("name") or "")
    said = one_line(str(inner.get("message") or name or "OpenCode gave no reason").split("\n")[0])
    words = _WORDS.get(name) or _of_status(inner.get("statusCode")) or _of_words(said)
    return f"{words} ({said})" if words else said


def explain_retries(message: Any) -> str:
    """What it means that OpenCode tries the same request again and again."""
    return (
        "the model provider takes no requests, or fails, again and again; try again later"
        f" ({one_line(message)})"
    )


def why_unfinished(finish: Any) -> str | None:
    """Why a last answer that ended with `finish` is not the end of the work; `None` if it is."""
    return _UNFINISHED.get(str(finish))


def is_broken_off(info: dict[str, Any]) -> bool:
    """Whether a message ended without its model having said that it is done."""
    return not info.get("error") and info.get("finish") in (None, "unknown", "other")


def _of_status(status: Any) -> str:
    if status in (401, 403):
        return f"OpenCode is not logged in, or its login was refused; run `{LOG_IN}`"
    if status == 429:
        return "the model provider takes no more requests for now; try again later"
    if isinstance(status, int) and status >= 500:
        return "the model provider failed; try again later"
    return ""


def _of_words(said: str) -> str:
    if said.startswith("Model not found"):
        return "there is no such model; choose another with --model provider/model"
    return ""
