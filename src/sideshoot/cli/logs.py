"""`sideshoot logs`: what happened in a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.references import is_active, is_open, meant_job, own_first
from sideshoot.cli.storylines import output_bytes, story_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.jobs.events import Logged
    from sideshoot.model import Job

EXAMPLES = """\
sideshoot logs k3f9ab
sideshoot logs -f"""

HELP = """Show what happened in a job, one line an event; what a command printed comes as it was."""


@click.command("logs", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has finished.")
def command(call: Call, job: str | None, *, follow: bool) -> int:
    place = open_place(call)
    found = told_of(place, job)
    events = _events(place, found, follow=follow)
    if call.json:
        output.say_object({"job_id": found.id, "events": [event_record(event) for event in events]})
        return 0
    for event in events:
        show_event(event)
    return 0


def show_event(event: Logged) -> None:
    """Print one logged event."""
    if event.kind == "output":
        output.write_bytes(output_bytes(event.data))
        return
    clock = time.strftime("%H:%M:%S", time.localtime(event.time))
    for line in story_lines(event.kind, event.data):
        output.say(f"{output.styled(clock, 'dim')} {line}")


def told_of(place: Place, reference: str | None, session: str | None = None) -> Job:
    """The job whose events are meant; see `meant_job` for what is raised.

    :param session: where no job is named, one of this session is meant rather than another's.
    """
    tests = own_first(session, is_active, is_open, lambda _: True)
    return meant_job(place, reference, *tests, what="job")


def event_record(event: Logged) -> dict[str, Any]:
    """One logged event."""
    return {
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "data": event.data,
        "source": event.source,
    }


def _events(place: Place, job: Job, *, follow: bool) -> Iterable[Logged]:
    from sideshoot.jobs import events, service  # noqa: PLC0415 - not for --help

    if follow:
        return service.follow(place.repository, job.id)
    return events.read(place.log_of(job))
