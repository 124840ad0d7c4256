"""A review as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sideshoot.text import path_fields

if TYPE_CHECKING:
    from sideshoot.review.findings import Finding, Review


def render(review: Review) -> str:
    """One object; docs/commands.md describes it."""
    return json.dumps(record(review), indent=2, ensure_ascii=False) + "\n"


def record(review: Review) -> dict[str, Any]:
    """The review as it is part of records, too. Without the form of findings, `verdict` is null."""
    return {
        "verdict": review.verdict,
        "summary": review.summary,
        "findings": [_finding(number, one) for number, one in enumerate(review.findings, 1)],
        "next_steps": list(review.next_steps),
        "prose": review.prose,
        "notes": list(review.notes),
    }


def _finding(number: int, finding: Finding) -> dict[str, Any]:
    path = finding.path
    return {
        "number": number,
        "severity": finding.severity.value,
        "title": finding.title,
        "body": finding.body,
        **({"file": finding.name} if path is None else path_fields(path, "file")),
        "line_start": finding.line_start or None,
        "line_end": finding.line_end or None,
        "confidence": finding.confidence,
        "recommendation": finding.recommendation,
        "doubt": finding.doubt,
    }
