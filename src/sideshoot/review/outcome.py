"""What a reviewer answered, read whenever it is shown: the job holds its words alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sideshoot.errors import GitError
from sideshoot.review.answer import MOST_CHARACTERS, read, tidied
from sideshoot.review.check import check
from sideshoot.review.findings import Severity
from sideshoot.review.native import below_top, read_reviewer

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import Job
    from sideshoot.review.findings import Finding, Review

FORMS = ("text", "markdown", "json", "sarif", "lines")

UNCHECKED = "what was reviewed is not there any more, so files and lines are unchecked"


@dataclass(frozen=True)
class Found:
    """A review that was made."""

    review: Review

    @property
    def is_prose(self) -> bool:
        """Whether it is not in the form of findings."""
        return self.review.is_prose

    @cached_property
    def numbers(self) -> dict[int, Finding]:
        """The findings by the numbers that they are shown with, the worst first."""
        return dict(enumerate(self.review.findings, 1))

    def has(self, severity: str) -> bool:
        """Whether a finding is as severe as this, or more so."""
        worst = Severity(severity).rank
        return any(finding.severity.rank <= worst for finding in self.review.findings)

    def render(self, form: str) -> str:
        """The review as `markdown`, `json`, `sarif` or `lines`."""
        from importlib import import_module  # noqa: PLC0415 - only the form that is asked for

        names = {"json": "as_json"}
        module = import_module(f"sideshoot.review.forms.{names.get(form, form)}")
        text: str = module.render(self.review)
        return text

    def record(self) -> dict[str, Any]:
        """The review as a part of the job's record."""
        from sideshoot.review.forms.as_json import record  # noqa: PLC0415 - the same

        return record(self.review)


def outcome_of(repository: Repository, job: Job) -> Found | None:
    """The review in what a job answered.

    :return: `None` if the reviewer said nothing.
    """
    if not job.message:
        return None
    review = _read(job, job.message)
    findings = tuple(replace(one, file=below_top(job, one.file)) for one in review.findings)
    return Found(_checked(repository, job, replace(review, findings=findings)))


def _read(job: Job, text: str) -> Review:
    native = read_reviewer(job, text) if len(text) <= MOST_CHARACTERS else None
    return tidied(native) if native is not None else read(text)


def _checked(repository: Repository, job: Job, review: Review) -> Review:
    change = job.request.review
    if change is None or not review.findings:
        return review
    try:
        return check(repository, review, before=change.before, after=change.after)
    except GitError:
        return replace(review, notes=(*review.notes, UNCHECKED))
