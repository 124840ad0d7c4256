"""`sideshoot discard`: drop jobs and their workspaces."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.diffstat import counted
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.record import next_steps
from sideshoot.cli.references import (
    host_session,
    is_active,
    is_open,
    is_undecided,
    meant_jobs,
    own_first,
)
from sideshoot.cli.result import refuse_unfinished
from sideshoot.cli.status import job_table
from sideshoot.cli.summary import next_lines, show
from sideshoot.errors import SideshootError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job

EXAMPLES = """\
sideshoot discard
sideshoot discard k3f9ab m2x7cd
sideshoot discard --all"""

HELP = """Drop jobs: their workspaces go at once, what they held can be restored for a while."""


@click.command("discard", cls=Command, help=HELP, example=EXAMPLES)
@job_argument(many=True)
@click.option("--all", "everything", is_flag=True, help="All jobs that wait for a decision.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def command(call: Call, jobs: tuple[str, ...], *, everything: bool, yes: bool) -> int:
    if everything and jobs:
        raise UsageError("--all means every job; name none")
    place = open_place(call)
    if everything:
        found = [job for job in place.jobs() if is_undecided(job)]
        if found and not yes and not _confirmed(call, found):
            output.note("nothing was discarded")
            return 1
    else:
        tests = own_first(host_session(), is_undecided, is_active, is_open)
        found = meant_jobs(place, jobs, *tests, what="job to discard")
    for job in found:
        refuse_unfinished(job)
    return _discard(place, found)


def _confirmed(call: Call, jobs: Sequence[Job]) -> bool:
    if call.json or not (output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)):
        raise UsageError("discard --all asks before it begins; where nobody can answer, give --yes")
    show(iter(job_table(jobs)), output.note)
    return click.confirm(f"Discard {counted(len(jobs), 'job')}?", err=True)


def _discard(place: Place, jobs: Sequence[Job]) -> int:
    done, failed = discard_each(place, jobs)
    _show(place.call, done, failed)
    return failed[0].exit_status if failed else 0


def discard_each(
    place: Place, jobs: Sequence[Job]
) -> tuple[Sequence[Job], Sequence[SideshootError]]:
    """Discard jobs; returns those that are, and what kept the others from it.

    :raises SideshootError: there is only one, and it can't be discarded.
    """
    from sideshoot.jobs.decide import discard_job  # noqa: PLC0415 - not for --help

    done: list[Job] = []
    failed: list[SideshootError] = []
    for job in jobs:
        # One that can't be discarded does not keep the others from it.
        try:
            done.append(discard_job(place.repository, place.store, job))
        except SideshootError as error:
            if len(jobs) == 1:
                raise
            failed.append(error)
    return done, failed


def discarded_record(done: Sequence[Job], failed: Sequence[SideshootError]) -> dict[str, Any]:
    """What `discard_each` returned."""
    return {"discarded": [job.id for job in done], "failed": [str(error) for error in failed]}


def _show(call: Call, done: Sequence[Job], failed: Sequence[SideshootError]) -> None:
    if call.json:
        output.say_object(discarded_record(done, failed))
        return
    for job in done:
        output.say(f"discarded job {job.id}")
    for error in failed:
        output.note(f"sideshoot: {error}")
    if not done and not failed:
        output.say("there is no job to discard")
    if len(done) == 1:
        steps = [step for step in next_steps(done[0]) if step == "restore"]
        show(next_lines(call, done[0], steps, sys.stderr), output.note)
