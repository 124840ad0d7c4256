"""A review as SARIF 2.1.0, which editors and code hosts show beside the code.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sideshoot import __version__
from sideshoot.review.findings import Severity

if TYPE_CHECKING:
    from sideshoot.review.findings import Finding, Review

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_TOP = "%SRCROOT%"
"""What relative paths are relative to; by convention the top folder of a repository."""

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}


def render(review: Review) -> str:
    return json.dumps(document(review), indent=2, ensure_ascii=False) + "\n"


def document(review: Review) -> dict[str, Any]:
    """One run of Sideshoot with a result for each finding.

    An answer of prose is a run without results that says so in a notification.
    """
    run = {
        "tool": {"driver": _driver()},
        "originalUriBaseIds": {_TOP: {"description": {"text": "The top folder of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(review)],
        "results": [_result(number, one) for number, one in enumerate(review.findings, 1)],
        "properties": _properties(review),
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver() -> dict[str, Any]:
    """A rule for each severity: what a reviewer may find has no names."""
    return {
        "name": "Sideshoot",
        "version": __version__,
        "rules": [
            {
                "id": _rule(severity),
                "shortDescription": {"text": f"A reviewer's finding of {severity} severity"},
                "defaultConfiguration": {"level": _LEVELS[severity]},
            }
            for severity in Severity
        ],
    }


def _rule(severity: Severity) -> str:
    return f"review/{severity}"


def _invocation(review: Review) -> dict[str, Any]:
    notes = [{"level": "warning", "message": {"text": note}} for note in review.notes]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _properties(review: Review) -> dict[str, Any]:
    facts = {
        "verdict": review.verdict,
        "summary": review.summary,
        "nextSteps": list(review.next_steps),
        "prose": review.prose,
    }
    return {key: value for key, value in facts.items() if value}


def _result(number: int, finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": _rule(finding.severity),
        "ruleIndex": finding.severity.rank,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
    }
    if finding.file:
        result["locations"] = [{"physicalLocation": _location(finding)}]
    if finding.confidence is not None:
        result["rank"] = finding.confidence * 100
    facts = {"number": number, "severity": finding.severity.value, "doubt": finding.doubt}
    result["properties"] = {key: value for key, value in facts.items() if value}
    return result


def _message(finding: Finding) -> str:
    parts = [finding.title, finding.body, finding.recommendation]
    if finding.doubt:
        parts.append(f"({finding.place}: {finding.doubt})")
    return "\n\n".join(part for part in parts if part)


def _location(finding: Finding) -> dict[str, Any]:
    artifact = {"uri": uri(finding), "uriBaseId": _TOP}
    if not finding.line_start:
        return {"artifactLocation": artifact}
    region = {"startLine": finding.line_start, "endLine": finding.line_end}
    return {"artifactLocation": artifact, "region": region}


def uri(finding: Finding) -> str:
    """The file as a relative reference, each byte that is not plain in it percent-encoded."""
    path = finding.path if finding.path is not None else finding.file.encode("utf-8", "replace")
    return quote(path.lstrip(b"/") or b"?")
