"""`sideshoot undo`: take a keep back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.diffstat import stat_lines
from sideshoot.cli.options import job_argument
from sideshoot.cli.place import open_place
from sideshoot.cli.record import change_record
from sideshoot.cli.references import host_session, is_kept, meant_job, own_first
from sideshoot.cli.summary import next_lines, show
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.model import Job
    from sideshoot.workspace.undo import Undone

EXAMPLES = """\
sideshoot undo
sideshoot undo k3f9ab"""

HELP = """Take the last keep of a job back: your files and index become what they were before it.

What you changed since stays. The job can be kept again.
"""


@click.command("undo", cls=Command, help=HELP, example=EXAMPLES)
@job_argument()
def command(call: Call, job: str | None) -> int:
    from sideshoot.jobs.decide import undo_job  # noqa: PLC0415 - not for --help

    place = open_place(call)
    found = meant_job(place, job, *own_first(host_session(), is_kept), what="kept job")
    undone = undo_job(place.repository, place.store, found)
    now = place.store.get(found.id)
    if call.json:
        output.say_object(undone_record(now, undone))
        return 0
    output.say(f"took back what was kept of job {now.id}")
    show(stat_lines(undone.changed, stream=sys.stdout), output.say)
    for warning in _warnings(undone):
        output.note(f"warning: {warning}")
    show(next_lines(call, now, ["undo"] if undone.more else ["keep"], sys.stderr), output.note)
    return 0


def undone_record(job: Job, undone: Undone) -> dict[str, Any]:
    """What came back, and what is still there of the keep."""
    return {
        "job_id": job.id,
        "decision": job.decision.value,
        "files": [change_record(change) for change in undone.changed],
        "warnings": _warnings(undone),
    }


def _warnings(undone: Undone) -> list[str]:
    """What is still there of the keep."""
    warnings = [
        f"{show_path(path)} was changed since it was kept, and stays" for path in undone.left
    ]
    if undone.commit is not None:
        commit = undone.commit[:10]
        warnings.append(f"the commit {commit} stays; `git revert {commit}` takes it back")
    return warnings
