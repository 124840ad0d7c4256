"""`sideshoot wait`: until jobs have finished."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.failure import WaitedTooLong
from sideshoot.cli.options import job_argument, limit_option
from sideshoot.cli.place import open_place
from sideshoot.cli.record import job_summary
from sideshoot.cli.references import is_active
from sideshoot.cli.summary import exit_status_of, outcome_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.command import Call
    from sideshoot.cli.options import Limit
    from sideshoot.cli.place import Place
    from sideshoot.model import Job

EXAMPLES = """\
sideshoot wait
sideshoot wait k3f9ab m2x7cd --any --timeout 10m"""

HELP = """Wait until all JOBs have finished (every running job if none is named), or any of them.

The exit status is that of the jobs that finished: 0, or the first that is not. 124 also means that
the time was over before they finished.
"""


@click.command("wait", cls=Command, help=HELP, example=EXAMPLES)
@job_argument(many=True)
@click.option("--any", "first", is_flag=True, help="Return as soon as one of them has finished.")
@limit_option("--timeout", "Wait no longer than this.")
def command(call: Call, jobs: tuple[str, ...], *, first: bool, timeout: Limit | None) -> int:
    from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

    place = open_place(call)
    ids = [job.id for job in waited_for(place, jobs)]
    seconds = timeout.amount if timeout else None
    now = service.wait(place.repository, ids, any=first, timeout_s=seconds)
    finished = [job for job in now if not is_active(job)]
    late = is_late(now, first=first)
    _show(call, now, late=late)
    if late:
        return WaitedTooLong.exit_status
    return next((status for job in finished if (status := exit_status_of(job))), 0)


def waited_for(place: Place, references: Sequence[str]) -> list[Job]:
    """The jobs that are named, or every one that runs."""
    if not references:
        return place.jobs(active=True)
    return list({job.id: job for job in map(place.find, references)}.values())


def is_late(jobs: Sequence[Job], *, first: bool) -> bool:
    """Whether the wait for jobs ended before they did.

    :param first: it was for any of them.
    """
    active = [is_active(job) for job in jobs]
    return bool(jobs) and (all(active) if first else any(active))


def waited_record(jobs: Sequence[Job], *, late: bool) -> dict[str, Any]:
    """The jobs as they were when the wait ended."""
    return {"jobs": [job_summary(job) for job in jobs], "wait_timed_out": late}


def _show(call: Call, jobs: Sequence[Job], *, late: bool) -> None:
    if call.json:
        output.say_object(waited_record(jobs, late=late))
        return
    for job in jobs:
        output.say(outcome_line(job, sys.stdout))
    if not jobs:
        output.note("nothing is running")
    if late:
        output.note("sideshoot: the time is over; the jobs go on")
