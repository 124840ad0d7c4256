"""What a review says: a verdict and findings, whatever agent and form they came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How much harm it does, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    APPROVE = "approve"
    NEEDS_ATTENTION = "needs-attention"

    @property
    def words(self) -> str:
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a change."""

    severity: Severity
    title: str
    body: str
    file: str
    """As the reviewer named it, relative to the top folder; empty if it named none. Once it is found
    in what was reviewed, it is shown by its name there."""
    line_start: int
    """Counted from 1, in the file as the change left it; 0 if no line is named."""
    line_end: int
    confidence: float | None = None
    """From 0 to 1; `None` if the reviewer did not say."""
    recommendation: str = ""
    path: bytes | None = None
    """The file in what was reviewed; `None` until it is found there."""
    doubt: str = ""
    """Why the place can't be as it is named; empty if nothing speaks against it."""

    @property
    def name(self) -> str:
        """The file on one line, fit for any screen."""
        return show_path(self.path if self.path is not None else self.file)

    @property
    def place(self) -> str:
        """`src/app.py:12-14`, or as much of it as is known."""
        if not self.file or not self.line_start:
            return self.name
        last = f"-{self.line_end}" if self.line_end > self.line_start else ""
        return f"{self.name}:{self.line_start}{last}"


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer answered."""

    verdict: Verdict | None
    """`None` if the answer is not in the form of findings: all that it says is in `prose` then."""
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    next_steps: tuple[str, ...] = ()
    prose: str = ""
    """What was said beside the form, word for word."""
    notes: tuple[str, ...] = ()
    """What whoever reads it should know of how it was read, one line each."""

    @property
    def is_prose(self) -> bool:
        return self.verdict is None


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first; those that are equally bad stay in the reviewer's order."""
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))
