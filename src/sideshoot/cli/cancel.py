"""`sideshoot cancel`: stop a running job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument, session_option
from sideshoot.cli.place import open_place
from sideshoot.cli.record import job_record
from sideshoot.cli.references import is_active, meant_job
from sideshoot.cli.summary import show, summary_lines
from sideshoot.errors import WrongState
from sideshoot.model import Outcome

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job

PATIENCE_S = 60.0
"""How long an agent may take to stop, and its work to be saved, before this says so."""

EXAMPLES = """\
sideshoot cancel
sideshoot cancel k3f9ab"""

HELP = """Stop a running job and everything it started; what it has done so far is saved.

Without JOB only jobs of your host's session can be meant; with JOB, any.
"""


@click.command("cancel", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
@session_option("Only jobs of this session can be meant.")
def command(call: Call, job: str | None, *, session: str | None) -> int:
    place = open_place(call)
    now = cancel(place, job, session)
    changes = place.changes_of(now)
    if call.json:
        output.say_object(job_record(place, now, changes))
    else:
        show(summary_lines(call, now, changes, sys.stdout), output.say)
    return 0 if now.outcome is Outcome.CANCELLED else 1


def cancel(place: Place, reference: str | None, session: str | None) -> Job:
    """Stop a job, and return it as it is then; see `meant_job` for what else is raised.

    :param session: where no job is named, only one of this session can be meant.
    :raises WrongState: it has finished already.
    """
    from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

    def can_be_meant(each: Job) -> bool:
        return is_active(each) and session in (None, each.session)

    where = " in this session" if session else ""
    found = meant_job(place, reference, can_be_meant, what=f"running job{where}")
    if not is_active(found):
        raise WrongState(f"job {found.id} has finished already; there is nothing to cancel")
    return service.cancel(place.repository, found.id, timeout_s=PATIENCE_S)
