"""What a reviewer answered, read whenever it is shown: the job holds its words alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.review.findings import Answer, Finding, Severity, read, render
from sideshoot.review.native import read_reviewer

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import Job


@dataclass(frozen=True, slots=True)
class Found:
    """INTERIM"""

    answer: Answer

    @property
    def is_prose(self) -> bool:
        return self.answer.review is None

    @property
    def numbers(self) -> dict[int, Finding]:
        review = self.answer.review
        return dict(enumerate(review.findings, 1)) if review else {}

    def has(self, severity: str) -> bool:
        order = list(Severity)
        worst = order.index(Severity(severity))
        return any(order.index(it.severity) <= worst for it in self.numbers.values())

    def render(self, form: str) -> str:
        return render(self.answer, form) + "\n"

    def record(self) -> dict[str, Any]:
        return asdict(self.answer.review) if self.answer.review else {"prose": self.answer.prose}


def outcome_of(repository: Repository, job: Job) -> Found | None:  # noqa: ARG001 - as it will be asked
    """:return: `None` if the reviewer said nothing."""
    if not job.message:
        return None
    native = read_reviewer(job, job.message)
    return Found(Answer(native, job.message) if native else read(job.message))
