"""Findings as editors and other tools take them: `path:line: severity: title`, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.review.findings import Finding, Review


def render(review: Review) -> str:
    """A line for each finding, and nothing for an answer of prose.

    Paths are relative to the top folder. Bytes of a name that would break a line are escaped.
    """
    return "".join(f"{_line(finding)}\n" for finding in review.findings)


def _line(finding: Finding) -> str:
    place = f"{finding.name}:{finding.line_start or 1}: " if finding.file else ""
    doubt = f" ({finding.doubt})" if finding.doubt else ""
    return show_path(f"{place}{finding.severity}: {' '.join(finding.title.split())}{doubt}")
