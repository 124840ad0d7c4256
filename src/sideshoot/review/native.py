"""What Codex's own reviewer answers, as a review like any other.

It has a form of its own: as JSON, which it says itself, or as the text that Codex makes of that. Both
are the same from Codex 0.100 to 0.169.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from sideshoot.review.answer import load_json
from sideshoot.review.findings import Finding, Review, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.model import Job

_PRIORITY = re.compile(r"\[P(\d)\]\s*")
_SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""By priority: P0 is to be mended before anything else, P3 some day."""

_COMMENTS = re.compile(r"(?:^|\n)(?:Review comment|Full review comments):\n")
_COMMENT = re.compile(r"^- (.{1,500}) — (.{1,4096}?):(\d{1,9})-(\d{1,9})$", re.MULTILINE)


def read_reviewer(job: Job, text: str) -> Review | None:
    """The review in an answer of Codex's reviewer; `None` if it has another form.

    :param job: the review, which tells where the reviewer stood: it names files by absolute paths.
    """
    try:
        answer = load_json(text)
    except ValueError:
        return _of_text(job, text)
    try:
        return _of_json(job, answer)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


def _of_json(job: Job, answer: dict[str, Any]) -> Review:
    is_right = answer["overall_correctness"] == "patch is correct"
    return Review(
        verdict=Verdict.APPROVE if is_right else Verdict.NEEDS_ATTENTION,
        summary=str(answer.get("overall_explanation") or ""),
        findings=tuple(_finding(job, finding) for finding in answer["findings"]),
    )


def _finding(job: Job, finding: dict[str, Any]) -> Finding:
    place = finding["code_location"]
    title = str(finding["title"])
    priority = finding.get("priority")
    confidence = finding.get("confidence_score")
    return Finding(
        severity=_severity(title) if priority is None else _of_priority(int(priority)),
        title=_PRIORITY.sub("", title, count=1),
        body=str(finding.get("body") or ""),
        file=below_top(job, str(place["absolute_file_path"])),
        line_start=int(place["line_range"]["start"]),
        line_end=int(place["line_range"]["end"]),
        confidence=None if confidence is None else float(confidence),
    )


def _of_text(job: Job, text: str) -> Review | None:
    heading = _COMMENTS.search(text)
    if heading is None:
        return None
    findings = tuple(_comments(job, text[heading.end() :]))
    summary = text[: heading.start()].strip()
    return Review(Verdict.NEEDS_ATTENTION, summary, findings) if findings else None


def _comments(job: Job, text: str) -> Iterator[Finding]:
    found = list(_COMMENT.finditer(text))
    ends = [*(comment.start() for comment in found), len(text)][1:]
    for comment, end in zip(found, ends, strict=True):
        title, path, first, last = comment.groups()
        lines = text[comment.end() : end].strip("\n").splitlines()
        yield Finding(
            severity=_severity(title),
            title=_PRIORITY.sub("", title, count=1),
            body="\n".join(line.removeprefix("  ") for line in lines).strip(),
            file=below_top(job, path),
            line_start=int(first),
            line_end=int(last),
        )


def _severity(title: str) -> Severity:
    found = _PRIORITY.match(title)
    return _of_priority(int(found[1])) if found else Severity.MEDIUM


def _of_priority(priority: int) -> Severity:
    return _SEVERITIES[min(max(priority, 0), len(_SEVERITIES) - 1)]


def below_top(job: Job, path: str) -> str:
    """A path relative to the top folder, whether that was the user's or a copy's, which is gone."""
    for top in (job.target, os.path.realpath(job.target)):
        if path.startswith(f"{top}/"):
            inside = path.removeprefix(f"{top}/")
            copy = re.match(rf"(?:.*/)?{re.escape(job.id)}\d*/", inside)
            return inside[copy.end() :] if copy else inside
    copy = re.match(rf".*/{re.escape(job.id)}\d*/", path)
    return path[copy.end() :] if copy else path
