"""The form in which a reviewer is asked to answer."""

from __future__ import annotations

from typing import Any

from sideshoot.review.findings import Severity, Verdict

_TEXT: dict[str, Any] = {"type": "string"}
_LINE: dict[str, Any] = {"type": "integer"}


def _strict(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object with all of these and nothing else, which is what providers demand of a strict form."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _one_of(words: type[Severity | Verdict]) -> dict[str, Any]:
    return {"type": "string", "enum": [word.value for word in words]}


# Bounds of numbers are not written into it: some providers refuse a form that has them.
SCHEMA = _strict(
    verdict=_one_of(Verdict),
    summary=_TEXT,
    findings={
        "type": "array",
        "items": _strict(
            severity=_one_of(Severity),
            title=_TEXT,
            body=_TEXT,
            file=_TEXT,
            line_start=_LINE,
            line_end=_LINE,
            confidence={"type": "number"},
            recommendation=_TEXT,
        ),
    },
    next_steps={"type": "array", "items": _TEXT},
)
"""JSON Schema of a review; works as `output_schema` of a task."""
