"""All about one job: what `status JOB` shows."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.cli import output
from sideshoot.cli.columns import cut, terminal_columns
from sideshoot.cli.diffstat import sum_line
from sideshoot.cli.durations import show_duration
from sideshoot.cli.record import duration_s, job_record, next_steps
from sideshoot.cli.references import is_active
from sideshoot.cli.sizes import held_record, show_held
from sideshoot.cli.storylines import is_answer, story_lines
from sideshoot.cli.summary import next_lines, shown_outcome
from sideshoot.jobs.held import held_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sideshoot.cli.place import Place
    from sideshoot.model import Job

LATEST = 5


def show_details(place: Place, job: Job, extra: Mapping[str, Any]) -> None:
    """Print a job in detail, or as an object that `extra` is added to."""
    if place.call.json:
        output.say_object({**details_record(place, job), **extra})
        return
    output.say(f"job {output.styled(job.id, 'bold')}  {cut(job.title, terminal_columns() - 14)}")
    for name, value in _facts(place, job):
        output.say(f"  {name:<10} {value}")
    steps = [step for step in next_steps(job) if step != "status"]
    for line in next_lines(place.call, job, steps, sys.stdout):
        output.say(line)


def latest_lines(place: Place, job: Job, most: int = LATEST) -> list[str]:
    """The last things that there are to tell of a job."""
    from sideshoot.jobs.events import tail  # noqa: PLC0415 - only for one job

    lines = [
        line
        for event in tail(place.log_of(job), most * 4)
        if not (job.request.review and is_answer(event.kind, event.data))
        for line in _lines_of(event.kind, event.data)
    ]
    return lines[-most:]


def details_record(place: Place, job: Job) -> dict[str, Any]:
    """All about one job, with the last things that there are to tell of it."""
    now = time.time()
    started = job.started_at or job.created_at
    return {
        **job_record(place, job, place.changes_of(job)),
        "title": job.title,
        "created_at": job.created_at,
        "elapsed_s": round(now - started, 3) if is_active(job) else None,
        **held_record(held_by(place.store, job.id)),
        "latest": latest_lines(place, job),
    }


def _facts(place: Place, job: Job) -> Iterator[tuple[str, str]]:
    model = f" ({job.request.model})" if job.request.model else ""
    yield "agent", f"{job.request.agent}{model}"
    yield "state", _state(job)
    if job.request.review:
        yield "reviews", job.request.review.what
    if job.request.sandbox != "off":
        yield "sandbox", f"{job.request.sandbox} ({job.mechanism})"
    if not is_active(job) and job.request.review is None:
        yield "decision", job.decision.value
        yield "changes", sum_line(place.changes_of(job))
    if job.worktree and Path(job.worktree).is_dir():
        yield "workspace", job.worktree
    if held := held_by(place.store, job.id):
        yield "size", show_held(held)
    if job.thread_id:
        yield "thread", job.thread_id
    yield "log", str(place.log_of(job))
    for warning in job.warnings:
        yield "warning", warning
    for number, line in enumerate(latest_lines(place, job)):
        yield "" if number else "latest", cut(line, terminal_columns() - 14)


def _state(job: Job) -> str:
    worked = show_duration(duration_s(job) or 0)
    if job.outcome is None:
        return f"{job.state.value} for {worked}" if job.started_at else job.state.value
    reason = f": {' '.join(job.error.split())}" if job.error else ""
    return f"{shown_outcome(job.outcome)} after {worked}{reason}"


def _lines_of(kind: str, data: Mapping[str, Any]) -> list[str]:
    if kind == "output":
        return [line for line in str(data.get("text", "")).splitlines() if line.strip()]
    return story_lines(kind, data)
