"""`sideshoot result`: what came of a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.record import job_record
from sideshoot.cli.references import (
    host_session,
    is_active,
    is_finished,
    is_open,
    meant_job,
    own_first,
)
from sideshoot.cli.reviewed import form_options, judged, refuse_forms, show_review
from sideshoot.cli.summary import say_message, show, summary_lines
from sideshoot.errors import UsageError, WrongState

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job

EXAMPLES = """\
sideshoot result
sideshoot result k3f9ab --json"""

HELP = """Show what came of a job: the agent's last message, and what it changed."""


@click.command("result", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
@form_options
def command(call: Call, job: str | None, **options: Any) -> int:
    refuse_forms(call, options)
    place = open_place(call)
    found = finished_job(place, job, host_session())
    if found.request.review is not None:
        # What the job ended with is not the status of a look at it.
        show_review(place, found, form=options["form"], file=options["output"])
        return judged(place, found, options["fail_on"])
    if options["form"] or options["output"] or options["fail_on"]:
        raise UsageError(
            f"job {found.id} is no review; --format, --output and --fail-on are for findings"
        )
    changes = place.changes_of(found)
    if call.json:
        output.say_object(job_record(place, found, changes))
        return 0
    if found.message:
        say_message(found.message)
        output.say()
    show(summary_lines(call, found, changes, sys.stdout), output.say)
    return 0


def finished_job(place: Place, reference: str | None, session: str | None = None) -> Job:
    """The job whose result is meant; see `meant_job` for what else is raised.

    :param session: where no job is named, one of this session is meant rather than another's.
    :raises WrongState: it is not finished.
    """
    tests = own_first(session, is_open, is_finished, is_active)
    found = meant_job(place, reference, *tests, what="finished job", looks=True)
    refuse_unfinished(found)
    return found


def refuse_unfinished(job: Job) -> None:
    """Stop where a result is needed and none can be there yet.

    :raises WrongState: the job is not finished.
    """
    if is_active(job):
        raise WrongState(
            f"job {job.id} is {job.state.value}; `sideshoot wait {job.id}` returns when it is done, "
            f"`sideshoot logs -f {job.id}` shows it at work"
        )
