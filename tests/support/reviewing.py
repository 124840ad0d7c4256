"""Answers of reviewers, for tests."""

from __future__ import annotations

import json
from typing import Any


def finding(title: str = "it breaks", file: str = "app.py", line: int = 1, **facts: Any) -> Any:
    """One finding, as the schema of reviews has it."""
    plain = {
        "severity": "high",
        "title": title,
        "body": "When it rains.",
        "file": file,
        "line_start": line,
        "line_end": line,
        "confidence": 0.9,
        "recommendation": "Mend it.",
    }
    return plain | facts


def answer(*findings: Any, summary: str = "Wet.") -> str:
    """A whole answer; it needs attention if there are findings."""
    verdict = "needs-attention" if findings else "approve"
    facts = {"verdict": verdict, "summary": summary, "findings": findings}
    return json.dumps(facts | {"next_steps": []})


def of_codex(title: str, path: str, line: int = 1) -> str:
    """An answer of Codex's own reviewer with one finding."""
    place = {"absolute_file_path": path, "line_range": {"start": line, "end": line}}
    found = {
        "title": f"[P1] {title}",
        "body": "When it rains.",
        "confidence_score": 0.9,
        "priority": 1,
        "code_location": place,
    }
    return json.dumps(
        {
            "findings": [found],
            "overall_correctness": "patch is incorrect",
            "overall_explanation": "Wet.",
            "overall_confidence_score": 0.9,
        }
    )
