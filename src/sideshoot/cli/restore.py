"""`sideshoot restore`: bring a discarded job back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.record import next_steps
from sideshoot.cli.references import meant_job
from sideshoot.cli.summary import next_lines, show
from sideshoot.model import Decision

if TYPE_CHECKING:
    from sideshoot.cli.command import Call

HELP = """Bring a discarded job back, while its work is still held; then it can be kept."""


@click.command("restore", cls=Command, help=HELP, example="sideshoot restore k3f9ab")
@job_argument()
def command(call: Call, job: str | None) -> int:
    from sideshoot.jobs.decide import restore_job  # noqa: PLC0415 - not for --help

    place = open_place(call)
    found = meant_job(
        place, job, lambda each: each.decision is Decision.DISCARDED, what="discarded job"
    )
    now = restore_job(place.repository, place.store, found)
    if call.json:
        output.say_object({"job_id": now.id, "decision": now.decision.value})
        return 0
    output.say(f"job {now.id} is back and waits for a decision")
    show(next_lines(call, now, next_steps(now), sys.stderr), output.note)
    return 0
