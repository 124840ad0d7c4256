"""From a review to its rescue: findings as the task of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import UsageError
from sideshoot.git.trees import differences
from sideshoot.model import Carry, Isolation, State
from sideshoot.review.outcome import outcome_of
from sideshoot.text import show_path
from sideshoot.workspace.base import carried, committed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.git import Repository
    from sideshoot.model import Job, Request
    from sideshoot.review.findings import Finding


@dataclass(frozen=True, slots=True)
class Rescue:
    """Findings that are to be mended."""

    review: Job
    findings: tuple[tuple[int, Finding], ...]
    """Each with its number in the review."""


def last_review(repository: Repository, jobs: Sequence[Job]) -> Rescue | None:
    """The newest review that found anything; `None` if there is none.

    :param jobs: the newest first.
    """
    for job in jobs:
        if job.request.review is not None and job.state is State.FINISHED:
            findings = _findings(repository, job)
            if findings:
                return Rescue(job, findings)
    return None


def rescue_of(repository: Repository, job: Job, numbers: Sequence[int] = ()) -> Rescue:
    """The findings of a review.

    :param numbers: only these of them.
    :raises UsageError: it is no review, found nothing, or has no such finding.
    """
    if job.request.review is None:
        raise UsageError(f"job {job.id} is no review; `sideshoot status --all` lists all jobs")
    findings = _findings(repository, job)
    if not findings:
        raise UsageError(f"review {job.id} has no findings; `sideshoot result {job.id}` shows it")
    return chosen(Rescue(job, findings), numbers)


def chosen(rescue: Rescue, numbers: Sequence[int]) -> Rescue:
    """Only the findings with these numbers; all of them if there are none.

    :raises UsageError: there is no finding with such a number.
    """
    known = dict(rescue.findings)
    for number in numbers:
        if number not in known:
            raise UsageError(
                f"review {rescue.review.id} has no finding {number}; there are {len(known)}"
            )
    wanted = sorted(set(numbers)) or list(known)
    return Rescue(rescue.review, tuple((number, known[number]) for number in wanted))


def task_for(rescue: Rescue, words: str, changed: Sequence[str] | None) -> str:
    """What an agent is told.

    :param words: the user's own, which come first.
    :param changed: the files with findings that are not as they were reviewed; `None` where nothing
        at all has changed.
    """
    described = (_described(number, finding) for number, finding in rescue.findings)
    parts = [words, _request(rescue), _state(changed), *described]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def start_of(repository: Repository, request: Request, resumed: Job | None) -> str:
    """The tree that the job of a request will find.

    :param resumed: the job whose thread it goes on with.
    :raises UsageError: its base names no commit.
    """
    if resumed is not None and resumed.worktree is not None and resumed.result is not None:
        return resumed.result
    if request.base is not None:
        base = repository.resolve(request.base)
        if base is None:
            raise UsageError(f"{request.base!r} names no commit; `git log` shows what there is")
        return base
    if request.isolation is Isolation.WORKTREE and request.carry is Carry.NONE:
        return committed(repository, repository.head()).tree
    tracked = request.isolation is Isolation.WORKTREE and request.carry is Carry.TRACKED
    return carried(repository, untracked=not tracked).tree


def changed_since(repository: Repository, rescue: Rescue, tree: str) -> tuple[str, ...] | None:
    """The files with findings that are others in `tree` than as they were reviewed.

    `None` if the whole of the tree is what was reviewed.
    """
    review = rescue.review.request.review
    assert review is not None
    if repository.tree_of(review.after) == repository.tree_of(tree):
        return None
    # Compared as text: what a model gives for a path may be anything.
    changed = {show_path(delta.path) for delta in differences(repository.git, review.after, tree)}
    files = dict.fromkeys(finding.name for _, finding in rescue.findings)
    return tuple(file for file in files if file in changed)


def _findings(repository: Repository, job: Job) -> tuple[tuple[int, Finding], ...]:
    found = outcome_of(repository, job)
    return tuple(found.numbers.items()) if found else ()


def _request(rescue: Rescue) -> str:
    review = rescue.review.request.review
    assert review is not None
    what = "each of these" if len(rescue.findings) > 1 else "this"
    return (
        f"A review of {review.what} found what is listed below. Mend {what} at its cause, together with"
        " what belongs to it, such as tests; change nothing beyond that. Look first whether it is so:"
        " if a finding is wrong, leave the code as it is and say why."
    )


def _state(changed: Sequence[str] | None) -> str:
    if changed is None:
        return ""
    if not changed:
        return (
            "The files here are not all as they were when this was found, but those that are named"
            " below are."
        )
    return (
        "What was reviewed is not what lies here: these files have changed since, or are not here at"
        f" all, so that lines are others and findings may be settled: {', '.join(changed)}."
    )


def _described(number: int, finding: Finding) -> str:
    doubt = f" ({finding.doubt})" if finding.doubt else ""
    parts = [
        f"Finding {number} ({finding.severity}): {finding.title}",
        f"{finding.place}{doubt}" if finding.file else "",
        finding.body.strip(),
        f"Recommended: {finding.recommendation.strip()}" if finding.recommendation.strip() else "",
    ]
    return "\n".join(part for part in parts if part)
