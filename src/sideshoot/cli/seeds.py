"""The words of the plugins that began this, for hands and scripts that know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import discard, keep, output
from sideshoot.cli.command import Command
from sideshoot.cli.options import job_argument, session_option
from sideshoot.cli.place import open_place
from sideshoot.cli.references import can_be_resumed

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.model import Job


@click.command(
    "worktree-cleanup",
    cls=Command,
    help="Keep or discard a job: `sideshoot keep` and `sideshoot discard` by an older name.",
    example="sideshoot worktree-cleanup k3f9ab --action keep",
)
@job_argument(required=True)
@click.option("--action", type=click.Choice(["keep", "discard"]), required=True)
@click.pass_context
def worktree_cleanup(ctx: click.Context, call: Call, job: str, *, action: str) -> int:
    # As if the command had been given by its own name.
    meant = {"keep": keep.command, "discard": discard.command}[action]
    words = [job, "-C", str(call.folder), *(["--json"] if call.json else [])]
    with meant.make_context(action, words, parent=ctx.parent) as inner:
        status: int = meant.invoke(inner)
    return status


@click.command(
    "task-resume-candidate",
    cls=Command,
    help="Say which job `run --resume-last` would go on with.",
    example="sideshoot task-resume-candidate --json",
)
@session_option("Only jobs of this session.")
def task_resume_candidate(call: Call, *, session: str | None) -> int:
    place = open_place(call)
    jobs = [job for job in place.jobs() if session in (None, job.session)]
    candidate = next((job for job in jobs if can_be_resumed(job)), None)
    if call.json:
        output.say_object(
            {
                "available": candidate is not None,
                "session_id": session,
                "candidate": _record(candidate) if candidate else None,
            }
        )
    elif candidate:
        output.say(f"job {candidate.id} can be resumed: {candidate.title}")
    else:
        output.say("no job can be resumed")
    return 0


@click.command(
    "last-review",
    cls=Command,
    help="Say whether there is a review, or print what the last one said.",
    example="sideshoot last-review --content",
)
@click.option("--content", is_flag=True, help="Print its words, and nothing else.")
@session_option("Only reviews of this session.")
def last_review(call: Call, *, content: bool, session: str | None) -> int:
    place = open_place(call)
    reviews = (job for job in place.jobs() if job.request.review is not None and job.message)
    latest = next((job for job in reviews if session in (None, job.session)), None)
    if call.json:
        output.say_object(
            {
                "available": latest is not None,
                "job_id": latest.id if latest else None,
                "updated_at": latest.finished_at if latest else None,
                **({"content": latest.message if latest else None} if content else {}),
            }
        )
    elif content:
        output.write(f"{latest.message}\n" if latest else "")
    else:
        output.say("LAST_REVIEW_AVAILABLE" if latest else "NO_LAST_REVIEW")
    return 0


@click.command("help", cls=Command, help="Print what `--help` prints.", example="sideshoot help")
@click.pass_context
def show_help(ctx: click.Context, call: Call) -> int:  # noqa: ARG001 - every command gets it
    assert ctx.parent is not None
    output.say(ctx.parent.get_help())
    return 0


def _record(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": (job.outcome or job.state).value,
        "title": job.title,
        "thread_id": job.thread_id,
        "completed_at": job.finished_at,
    }
