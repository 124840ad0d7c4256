"""`sideshoot result`: what came of a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.record import job_record
from sideshoot.cli.references import is_active, is_finished, is_open, meant_job
from sideshoot.cli.summary import say_message, show, summary_lines
from sideshoot.errors import WrongState

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.model import Job

EXAMPLES = """\
sideshoot result
sideshoot result k3f9ab --json"""

HELP = """Show what came of a job: the agent's last message, and what it changed."""


@click.command("result", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
def command(call: Call, job: str | None) -> int:
    place = open_place(call)
    found = meant_job(place, job, is_open, is_finished, is_active, what="finished job")
    refuse_unfinished(found)
    changes = place.changes_of(found)
    if call.json:
        output.say_object(job_record(place, found, changes))
        return 0
    if found.message:
        say_message(found.message)
        output.say()
    show(summary_lines(call, found, changes, sys.stdout), output.say)
    return 0


def refuse_unfinished(job: Job) -> None:
    """Stop where a result is needed and none can be there yet.

    :raises WrongState: the job is not finished.
    """
    if is_active(job):
        raise WrongState(
            f"job {job.id} is {job.state.value}; `sideshoot wait {job.id}` returns when it is done, "
            f"`sideshoot logs -f {job.id}` shows it at work"
        )
