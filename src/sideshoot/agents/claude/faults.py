"""Why Claude Code failed, in one line that says what to do."""

from __future__ import annotations

from typing import Any

from sideshoot.agents.words import one_line

LOG_IN = "claude auth login"
INSTALL = "npm install -g @anthropic-ai/claude-code"
AFRESH = "start afresh with --fresh"

_WORDS = {
    "billing_error": "the account has no credit left, or no right to this",
    "max_output_tokens": "the model's answer was cut off at its greatest length; try a smaller task",
    "model_not_found": "there is no such model; choose another with --model",
}

_SUBTYPES = {
    "error_max_budget_usd": "the budget that Claude Code is configured with is used up",
    "error_max_turns": "the number of turns that Claude Code is configured with is used up",
}


def explain(result: dict[str, Any], kind: str = "") -> str:
    """A `result` with `is_error` as one line.

    :param kind: the `error` of the assistant's message that told it (`rate_limit` …), if any.
    """
    said = _said(result)
    status = result.get("api_error_status")
    status = status if isinstance(status, int) else 0
    if status in (401, 403) or kind == "authentication_failed":
        return f"Claude Code is not logged in, or its login was refused; run `{LOG_IN}` ({said})"
    if status == 429 or kind == "rate_limit":
        return f"the model provider takes no more requests for now; try again later ({said})"
    if status >= 500 or kind in ("server_error", "overloaded"):
        return f"the model provider failed; try again later ({said})"
    if result.get("terminal_reason") == "prompt_too_long" or said == "Prompt is too long":
        return f"the conversation no longer fits the model; {AFRESH} ({said})"
    if "No conversation found" in said:
        return f"this conversation is no longer there; {AFRESH}"
    return _further(result, kind, said, status)


def _further(result: dict[str, Any], kind: str, said: str, status: int) -> str:
    if str(result.get("terminal_reason")).startswith("aborted"):
        return "the turn was interrupted"  # what it says itself is for its own makers
    if kind in _WORDS:
        return f"{_WORDS[kind]} ({said})"
    subtype = str(result.get("subtype"))
    if subtype in _SUBTYPES:
        return _SUBTYPES[subtype]
    if not status and said.startswith("API Error"):
        return f"the connection to the model broke off; try again ({said})"
    return said


def _said(result: dict[str, Any]) -> str:
    errors = result.get("errors")
    told = result.get("result") or "; ".join(map(str, errors if isinstance(errors, list) else []))
    return one_line(told or f"Claude Code gave no reason ({result.get('subtype')})")
