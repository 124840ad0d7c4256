"""`sideshoot diff`: what a job changed."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.diffstat import stat_lines
from sideshoot.cli.options import JOB
from sideshoot.cli.place import open_place
from sideshoot.cli.record import change_record
from sideshoot.cli.references import (
    host_session,
    is_active,
    is_finished,
    is_open,
    job_and_paths,
    own_first,
)
from sideshoot.cli.result import refuse_unfinished
from sideshoot.errors import UsageError, WrongState
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job
    from sideshoot.workspace.compare import FileChange

EXAMPLES = """\
sideshoot diff
sideshoot diff k3f9ab --stat
sideshoot diff k3f9ab src/cache.py
sideshoot diff k3f9ab > change.patch"""

HELP = """Show what a job changed, against what it started from.

On a terminal in colour and through your pager; elsewhere the bytes of a patch for `git apply`.
PATHs count from the folder that you are in.
"""


@click.command("diff", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("words", nargs=-1, type=JOB, metavar="[JOB] [PATH]...")
@click.option("--stat", "form", flag_value="stat", help="Only how much changed in which files.")
@click.option("--name-only", "form", flag_value="names", help="Only the paths, one a line.")
@click.option("--patch", "form", flag_value="patch", help="The patch (the default).")
def command(call: Call, words: tuple[str, ...], *, form: str | None) -> int:
    place = open_place(call)
    tests = own_first(host_session(), is_open, is_finished, is_active)
    job, names = job_and_paths(place, words, call.dashed, *tests, what="finished job")
    job = compared(job)
    paths = changed_paths(place, job, names) or reviewed_paths(job)
    if call.json:
        output.say_object(diff_record(place, job, paths))
        return 0
    shown = {"stat": _show_stat, "names": _show_names}.get(form or "", _show_patch)
    shown(place, job, paths)
    return 0


def compared(job: Job) -> Job:
    """The job with what is compared for it: of a review, that is the change that it is about.

    :raises WrongState: it is not finished, or has no result.
    """
    refuse_unfinished(job)
    if review := job.request.review:
        job = replace(job, base=review.before, result=review.after)
    if not job.base or not job.result:
        raise WrongState(f"job {job.id} has no result that could be compared")
    return job


def reviewed_paths(job: Job) -> tuple[bytes, ...]:
    """The paths that a review is about; none where it is about all."""
    review = job.request.review
    return tuple(os.fsencode(path) for path in review.paths) if review else ()


def changed_paths(place: Place, job: Job, names: Sequence[str]) -> tuple[bytes, ...]:
    """Paths as the caller named them, relative to the top; empty means all.

    :raises UsageError: the job changed nothing at one of them.
    """
    paths = place.tree_paths(names)
    changes = place.changes_of(job) if paths else []
    for name, path in zip(names, paths, strict=bool(paths)):
        if not any(_touches(change, path) for change in changes):
            raise UsageError(f"job {job.id} changed nothing at {name}")
    return paths


def _touches(change: FileChange, path: bytes) -> bool:
    return any(
        changed == path or changed.startswith(path + b"/")
        for changed in (change.path, change.old_path)
        if changed is not None
    )


def _show_patch(place: Place, job: Job, paths: tuple[bytes, ...]) -> None:
    from sideshoot.cli.pager import paged  # noqa: PLC0415 - not for --stat
    from sideshoot.workspace.compare import write_patch  # noqa: PLC0415

    assert job.base is not None
    assert job.result is not None
    colour = output.has_colour(sys.stdout)
    with paged(place.repository) as out:
        write_patch(place.seeing(job), job.base, job.result, out, paths, color=colour)


def _show_stat(place: Place, job: Job, paths: tuple[bytes, ...]) -> None:
    changes = place.changes_of(job, paths)
    for line in stat_lines(changes, stream=sys.stdout):
        output.say(line)


def _show_names(place: Place, job: Job, paths: tuple[bytes, ...]) -> None:
    changes = place.changes_of(job, paths)
    if output.is_terminal(sys.stdout):
        for change in changes:
            output.say(show_path(change.path))
    else:
        # For programs, as git's own paths are: the bytes.
        output.write_bytes(b"".join(change.path + b"\n" for change in changes))


def diff_record(place: Place, job: Job, paths: tuple[bytes, ...]) -> dict[str, Any]:
    """What a job changed, at these paths or (without any) at all."""
    changes = place.changes_of(job, paths)
    return {
        "job_id": job.id,
        "base": job.base,
        "result": job.result,
        "files": [change_record(change) for change in changes],
        "insertions": sum(change.insertions for change in changes),
        "deletions": sum(change.deletions for change in changes),
    }
