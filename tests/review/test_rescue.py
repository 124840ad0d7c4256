"""From a review to its rescue: its findings are a task, and a task for the right state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import AgentResult
from sideshoot.errors import UsageError
from sideshoot.jobs import service
from sideshoot.model import Carry, Isolation, Job, Request, ReviewKind
from sideshoot.review.rescue import (
    changed_since,
    last_review,
    rescue_of,
    start_of,
    task_for,
)
from sideshoot.review.start import begin
from sideshoot.review.target import Wanted, resolve
from support.reviewing import answer, finding

if TYPE_CHECKING:
    from support.jobs import Gardener, Jobs
    from support.repos import Repo


def reviewed(jobs: Jobs, gardener: Gardener, *findings: Any, message: str | None = None) -> Job:
    """A review of the working tree with these findings."""
    gardener.turn = lambda *_: AgentResult(True, message=message or answer(*findings))
    target = resolve(jobs.repository, Wanted())
    job = begin(jobs.repository, target, Request("gardener"), kind=ReviewKind.REVIEW)
    return service.work(jobs.repository, job.id)


@pytest.fixture
def edited(repo: Repo) -> Repo:
    repo.write("app.py", "edited = 1\n")
    return repo


def test_the_findings_are_the_task(edited: Repo, jobs: Jobs, gardener: Gardener) -> None:
    job = reviewed(
        jobs, gardener, finding(), finding("it sinks", "src/beds.py", severity="low", line_end=3)
    )
    told = task_for(rescue_of(jobs.repository, job), "Be quick.", None)
    assert told.startswith("Be quick.\n\nA review of the working tree found")
    assert "Finding 1 (high): it breaks\napp.py:1\nWhen it rains.\nRecommended: Mend it." in told
    assert "Finding 2 (low): it sinks\nsrc/beds.py:1-3 (the file has only 1 line)\n" in told


def test_some_of_the_findings(edited: Repo, jobs: Jobs, gardener: Gardener) -> None:
    job = reviewed(jobs, gardener, finding("one"), finding("two"), finding("three"))
    rescue = rescue_of(jobs.repository, job, (3, 1, 3))
    assert [(number, it.title) for number, it in rescue.findings] == [(1, "one"), (3, "three")]
    with pytest.raises(UsageError, match="has no finding 4; there are 3"):
        rescue_of(jobs.repository, job, (4,))


def test_the_last_review_that_found_anything(edited: Repo, jobs: Jobs, gardener: Gardener) -> None:
    assert last_review(jobs.repository, jobs.store.list()) is None
    first = reviewed(jobs, gardener, finding())
    second = reviewed(jobs, gardener)
    prose = reviewed(jobs, gardener, message="I like it.")
    jobs.run("true")
    rescue = last_review(jobs.repository, jobs.store.list())
    assert rescue is not None
    assert rescue.review.id == first.id
    for job in (second, prose):
        with pytest.raises(UsageError, match=f"review {job.id} has no findings"):
            rescue_of(jobs.repository, job)
    with pytest.raises(UsageError, match="is no review"):
        rescue_of(jobs.repository, jobs.run("true"))


def test_the_same_state_is_nothing_to_tell_of(edited: Repo, jobs: Jobs, gardener: Gardener) -> None:
    rescue = rescue_of(jobs.repository, reviewed(jobs, gardener, finding()))
    assert (
        changed_since(jobs.repository, rescue, start_of(jobs.repository, Request("x"), None))
        is None
    )


def test_files_that_have_changed_since_are_told_of(
    edited: Repo, jobs: Jobs, gardener: Gardener
) -> None:
    rescue = rescue_of(
        jobs.repository, reviewed(jobs, gardener, finding(), finding("x", "src/beds.py"))
    )
    edited.write("elsewhere.py", "x\n")
    start = start_of(jobs.repository, Request("x"), None)
    assert changed_since(jobs.repository, rescue, start) == ()
    assert "those that are named below are" in task_for(rescue, "", ())
    edited.write("app.py", "edited = 2\n")
    edited.remove("src/beds.py")
    start = start_of(jobs.repository, Request("x"), None)
    changed = changed_since(jobs.repository, rescue, start)
    assert changed == ("app.py", "src/beds.py")
    assert "changed since, or are not here at all" in task_for(rescue, "", changed)


def test_what_a_job_starts_from_is_what_counts(
    edited: Repo, jobs: Jobs, gardener: Gardener
) -> None:
    repository = jobs.repository
    rescue = rescue_of(repository, reviewed(jobs, gardener, finding()))
    request = Request("x")

    def changed(request: Request, resumed: Job | None = None) -> tuple[str, ...] | None:
        return changed_since(repository, rescue, start_of(repository, request, resumed))

    assert changed(replace(request, carry=Carry.TRACKED)) is None
    assert changed(replace(request, carry=Carry.NONE)) == ("app.py",)
    assert changed(replace(request, base="HEAD")) == ("app.py",)
    assert changed(replace(request, isolation=Isolation.IN_PLACE, carry=Carry.NONE)) is None
    with pytest.raises(UsageError, match="names no commit"):
        changed(replace(request, base="nowhere"))
    resumed = jobs.run("echo more >> app.py")
    assert changed(request, resumed) == ("app.py",)


def test_a_file_that_is_not_named_as_git_would(
    edited: Repo, jobs: Jobs, gardener: Gardener
) -> None:
    job = reviewed(jobs, gardener, finding(file="../x"), finding(file="\0"), finding(file=""))
    rescue = rescue_of(jobs.repository, job)
    edited.write("app.py", "other\n")
    assert (
        changed_since(jobs.repository, rescue, start_of(jobs.repository, Request("x"), None)) == ()
    )
