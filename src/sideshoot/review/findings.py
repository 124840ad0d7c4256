"""INTERIM: the findings of a review."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["verdict", "summary", "findings", "next_steps"],
    "properties": {
        "verdict": {"type": "string", "enum": ["approve", "needs-attention"]},
        "summary": {"type": "string"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "severity", "title", "body", "file", "line_start", "line_end", "confidence",
                    "recommendation",
                ],
                "properties": {
                    "severity": {"type": "string", "enum": [s.value for s in Severity]},
                    "title": {"type": "string"},
                    "body": {"type": "string"},
                    "file": {"type": "string"},
                    "line_start": {"type": "integer"},
                    "line_end": {"type": "integer"},
                    "confidence": {"type": "number"},
                    "recommendation": {"type": "string"},
                },
            },
        },
        "next_steps": {"type": "array", "items": {"type": "string"}},
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    title: str
    body: str
    file: str
    line_start: int
    line_end: int
    confidence: float | None = None
    recommendation: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    verdict: str
    summary: str
    findings: tuple[Finding, ...]
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    review: Review | None
    prose: str
    why: str = ""


def read(text: str) -> Answer:
    try:
        facts = json.loads(text)
        findings = tuple(
            Finding(**{**it, "severity": Severity(it["severity"])}) for it in facts["findings"]
        )
        order = list(Severity)
        findings = tuple(sorted(findings, key=lambda it: order.index(it.severity)))
        steps = tuple(facts["next_steps"])
        return Answer(Review(facts["verdict"], facts["summary"], findings, steps), text)
    except (ValueError, KeyError, TypeError) as error:
        return Answer(None, text, str(error))


def render(answer: Answer, form: str) -> str:
    if answer.review is None:
        return answer.prose
    if form == "json":
        return json.dumps(asdict(answer.review))
    lines = [answer.review.summary]
    for number, it in enumerate(answer.review.findings, 1):
        lines.append(f"{number}. [{it.severity}] {it.title} ({it.file}:{it.line_start})")
        lines.append(it.body)
    return "\n".join(lines)
