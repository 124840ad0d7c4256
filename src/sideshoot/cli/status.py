"""`sideshoot status`: what is running, and what waits for a decision."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import table, terminal_columns
from sideshoot.cli.command import Command
from sideshoot.cli.durations import show_age, show_duration
from sideshoot.cli.failure import WaitedTooLong
from sideshoot.cli.older import older_waiting
from sideshoot.cli.options import job_argument, limit_option
from sideshoot.cli.place import open_place
from sideshoot.cli.record import duration_s, job_summary
from sideshoot.cli.references import host_session, is_active, is_look
from sideshoot.cli.sizes import count, held_record, over_budget, show_size
from sideshoot.model import Decision, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.cli.command import Call
    from sideshoot.cli.options import Limit
    from sideshoot.cli.place import Place
    from sideshoot.jobs.held import Held
    from sideshoot.model import Job

    Counted = Mapping[str, Held]

RECENT = 10
HEADINGS = ("JOB", "AGENT", "STATE", "DECISION", "TIME", "TITLE")

EXAMPLES = """\
sideshoot status
sideshoot status k3f9ab
sideshoot status --wait --timeout 10m"""

HELP = """Show what is running and what waits for a decision; with JOB, all about that job.

Inside a session of a host, such as Claude Code, these are the jobs of that session; --all shows all.
TIME is how long a running job has worked, and how long ago a finished one ended.
"""


@click.command("status", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
@click.option("-a", "--all", "everything", is_flag=True, help="All jobs, however old.")
@click.option(
    "--wait", is_flag=True, help="Wait until the job, or every running job, has finished."
)
@click.option("--sizes", is_flag=True, help="Count how much each job holds on the disk.")
@limit_option("--timeout", "Wait no longer than this (exit status 124).")
@older_waiting
def command(
    call: Call,
    job: str | None,
    *,
    everything: bool,
    wait: bool,
    sizes: bool,
    timeout: Limit | None,
    timeout_ms: Limit | None,
) -> int:
    place = open_place(call, only_to_look=True)
    session = None if everything else host_session()
    timed_out = wait and not _waited(place, job, session, timeout or timeout_ms)
    extra = {"wait_timed_out": timed_out} if wait else {}
    if job is not None:
        _show_details(place, place.find(job), extra, sizes=sizes)
    else:
        jobs = _listed(place, everything=everything, session=session)
        _show_table(place, jobs, sizes=sizes, extra=extra)
    return WaitedTooLong.exit_status if timed_out else 0


def _waited(
    place: Place, reference: str | None, session: str | None, timeout: Limit | None
) -> bool:
    from sideshoot.jobs import service  # noqa: PLC0415 - only for --wait

    if reference is not None:
        ids = [place.find(reference).id]
    else:
        active = place.jobs(active=True)
        ids = [job.id for job in active if session in (None, job.session)]
    seconds = timeout.amount if timeout else None
    jobs = service.wait(place.repository, ids, any=False, timeout_s=seconds)
    return not any(is_active(job) for job in jobs)


def _show_details(place: Place, job: Job, extra: dict[str, Any], *, sizes: bool) -> None:
    from sideshoot.cli.details import show_details  # noqa: PLC0415 - only for one job

    if sizes:
        count(place, [job])
    show_details(place, job, extra)


def _show_table(place: Place, jobs: Sequence[Job], *, sizes: bool, extra: dict[str, Any]) -> None:
    held = count(place, jobs) if sizes else {}
    if place.call.json:
        output.say_object({**_table_record(place, jobs, held), **extra})
        return
    if not jobs:
        output.say(_nothing_to_show(place))
        return
    for line in job_table(jobs, held):
        output.say(line)
    for warning in over_budget(place):
        output.note(f"warning: {warning}")


def table_record(place: Place, *, everything: bool) -> dict[str, Any]:
    """What is running and what is recent, or all jobs."""
    return _table_record(place, _listed(place, everything=everything), {})


def _nothing_to_show(place: Place) -> str:
    if place.jobs(limit=1):
        return "no jobs in this session; `sideshoot status --all` shows those of others"
    return "no jobs yet; `sideshoot run TASK` starts one, `sideshoot demo` shows a round"


def _table_record(place: Place, jobs: Sequence[Job], held: Counted) -> dict[str, Any]:
    warnings = over_budget(place) if jobs else []
    return {"jobs": [_row_record(job, held) for job in jobs], "warnings": warnings}


def job_table(jobs: Sequence[Job], held: Counted | None = None) -> list[str]:
    """A heading and a line for each job, aligned; with a column for sizes where they were counted."""
    now = time.time()
    rows = [HEADINGS, *(_cells(job, now) for job in jobs)]
    if held:
        sizes = ["SIZE", *(_size(held.get(job.id)) for job in jobs)]
        rows = [(*row[:-1], size, row[-1]) for row, size in zip(rows, sizes, strict=True)]
    heading, *lines = table(rows, columns=terminal_columns())
    return [output.styled(heading, "dim"), *map(_weighted, lines, jobs)]


def _listed(place: Place, *, everything: bool, session: str | None = None) -> list[Job]:
    """:param session: only jobs of this session, unless all are wanted."""
    if everything:
        return place.jobs()
    if session is None:
        return recent_jobs(place)
    return _recent([job for job in place.jobs() if job.session == session])


def recent_jobs(place: Place) -> list[Job]:
    """The jobs that are not finished, and the latest that are."""
    active = place.jobs(active=True)
    return _recent([*active, *place.jobs(limit=RECENT + len(active))])


def _recent(jobs: Sequence[Job]) -> list[Job]:
    active = {job.id: job for job in jobs if is_active(job)}
    finished = [job for job in jobs if not is_active(job)]
    return [*active.values(), *finished[:RECENT]]


def _size(held: Held | None) -> str:
    return show_size(held.bytes) if held else "-"


def _row_record(job: Job, held: Counted) -> dict[str, Any]:
    return {
        **job_summary(job),
        "title": job.title,
        "created_at": job.created_at,
        "duration_s": duration_s(job),
        "worktree": job.worktree,
        "branch": job.branch,
        **(held_record(held[job.id]) if job.id in held else {}),
    }


def _cells(job: Job, now: float) -> tuple[str, ...]:
    return (
        job.id,
        job.request.agent,
        shown_state(job),
        shown_decision(job),
        _age(job, now),
        job.title,
    )


def shown_state(job: Job) -> str:
    """The outcome in words, or the state before there is one."""
    return (job.outcome or job.state).value.replace("_", " ")


def shown_decision(job: Job) -> str:
    """The decision; nothing where there is nothing to decide."""
    nothing = is_look(job) or (job.decision is Decision.OPEN and not job.result)
    if is_active(job) or nothing:
        return "-"
    return job.decision.value


def _age(job: Job, now: float) -> str:
    if job.state is State.FINISHED and job.finished_at is not None:
        return show_age(now - job.finished_at)
    return show_duration(round(now - (job.started_at or job.created_at)))


def _weighted(line: str, job: Job) -> str:
    if is_active(job):
        return output.styled(line, "bold")
    return output.styled(line, "dim") if job.decision in _SETTLED else line


_SETTLED = (Decision.KEPT, Decision.DISCARDED)
