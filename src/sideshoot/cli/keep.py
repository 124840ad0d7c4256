"""`sideshoot keep`: bring a job's changes into the user's tree."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from sideshoot.cli import output
from sideshoot.cli.actions import next_command
from sideshoot.cli.columns import cut
from sideshoot.cli.command import Command
from sideshoot.cli.diff import changed_paths
from sideshoot.cli.diffstat import stat_lines
from sideshoot.cli.options import JOB
from sideshoot.cli.place import open_place
from sideshoot.cli.record import change_record
from sideshoot.cli.references import (
    host_session,
    is_active,
    is_kept,
    is_undecided,
    job_and_paths,
    own_first,
)
from sideshoot.cli.result import refuse_unfinished
from sideshoot.cli.summary import next_lines, show
from sideshoot.errors import KeepConflict, KeepRefused, UsageError, WrongState
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job
    from sideshoot.workspace.keep import Kept
    from sideshoot.workspace.keep_options import KeepOptions

MEANT = (is_undecided, is_active, is_kept)
WHAT = "job that could be kept"
"""Which job is meant where none is named."""

EXAMPLES = """\
sideshoot keep
sideshoot keep k3f9ab src/cache.py tests
sideshoot keep k3f9ab --dry-run
sideshoot keep k3f9ab --commit -m "Fix the flaky test"
sideshoot keep k3f9ab --patch change.patch"""

HELP = """Bring a job's changes, or only those at PATHs, into your working tree and index.

All of it or nothing: your own uncommitted changes stay, and where both of you changed the same
place nothing is written and the exit status is 1. `sideshoot undo` takes a keep back.
PATHs count from the folder that you are in.
"""


@click.command("keep", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("words", nargs=-1, type=JOB, metavar="[JOB] [PATH]...")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--no-stage", is_flag=True, help="Leave the index as it is.")
@click.option("--commit", is_flag=True, help="Commit what is kept, and nothing else.")
@click.option("-m", "--message", metavar="TEXT", help="The message of that commit.")
@click.option("--branch", metavar="NAME", help="Make a branch of the result; touch no file.")
@click.option(
    "--patch", metavar="FILE", help="Write a patch to FILE (- for stdout); touch no file."
)
@click.option(
    "--conflicts",
    type=click.Choice(["stop", "markers", "ours", "theirs"]),
    default="stop",
    help="Where both changed the same place: stop (the default), write conflict markers, take ours "
    "(what you have) or theirs (the job's).",
)
@click.option("--ignored", multiple=True, metavar="PATH", help="Bring this ignored path as well.")
def command(call: Call, words: tuple[str, ...], **options: Any) -> int:
    refuse_contradictions(options)
    place = open_place(call)
    tests = own_first(host_session(), *MEANT)
    job, names = job_and_paths(place, words, call.dashed, *tests, what=WHAT)
    refuse_unfinished(job)
    if options["patch"]:
        return _write_patch(place, job, names, options["patch"])
    if options["branch"]:
        return _make_branch(place, job, options["branch"])
    return _keep(place, job, names, options)


def _keep(place: Place, job: Job, names: Sequence[str], options: dict[str, Any]) -> int:
    try:
        kept = bring(place, job, names, options)
    except KeepConflict as error:
        if not place.call.json:
            return _show_conflict(place, job, error)
        raise
    return _show_kept(place, place.store.get(job.id), kept, options)


def bring(place: Place, job: Job, names: Sequence[str], options: dict[str, Any]) -> Kept:
    """Keep a job, or what of it lies at `names`, in the manner that the options say.

    :raises KeepConflict: both sides changed the same place, and `options` say to stop there.
    """
    from sideshoot.jobs.decide import keep_job  # noqa: PLC0415 - not for --help

    return keep_job(
        place.repository,
        place.store,
        job,
        options=_options(place, job, names, options),
        ignored=place.tree_paths(options["ignored"]),
    )


def _options(place: Place, job: Job, names: Sequence[str], options: dict[str, Any]) -> KeepOptions:
    from sideshoot.workspace.keep_options import KeepOptions  # noqa: PLC0415 - not for --help

    message = options["message"] or f"{cut(job.title, 72)}\n\nKept from job {job.id}\n"
    return KeepOptions(
        paths=place.tree_paths(names),
        stage=not options["no_stage"],
        conflicts=options["conflicts"],
        dry_run=options["dry_run"],
        commit_message=message if options["commit"] else None,
    )


def _show_kept(place: Place, job: Job, kept: Kept, options: dict[str, Any]) -> int:
    stopped = options["dry_run"] and options["conflicts"] == "stop" and bool(kept.conflicts)
    if place.call.json:
        output.say_object(kept_record(job, kept, options))
        return int(stopped)
    for warning in kept.warnings:
        output.warn(warning)
    show(_stopped_lines(job, kept) if stopped else _kept_lines(job, kept, options), output.say)
    if not options["dry_run"] and (kept.changed or kept.extras):
        show(next_lines(place.call, job, ["undo"], sys.stderr), output.note)
    return int(stopped)


def _stopped_lines(job: Job, kept: Kept) -> Iterator[str]:
    yield f"keeping job {job.id} would conflict at"
    yield from _listed(kept.conflicts)


def _kept_lines(job: Job, kept: Kept, options: dict[str, Any]) -> Iterator[str]:
    yield _headline(job, kept, options)
    if kept.changed or not kept.extras:
        yield from stat_lines(kept.changed, stream=sys.stdout)
    if kept.extras:
        yield "brought beside what git tracks:"
        yield from _listed(kept.extras)
    if kept.conflicts:
        yield "these have conflict markers to be resolved:"
        yield from _listed(kept.conflicts)


def _headline(job: Job, kept: Kept, options: dict[str, Any]) -> str:
    if options["dry_run"]:
        return f"keeping job {job.id} would change"
    where = ", staged" if kept.staged else ", not staged"
    if kept.commit:
        where = f", committed as {kept.commit[:10]}"
    return f"kept job {job.id}{where if kept.changed else ''}"


def kept_record(job: Job, kept: Kept, options: dict[str, Any]) -> dict[str, Any]:
    """What a keep brought, or would bring."""
    return {
        "job_id": job.id,
        "decision": job.decision.value,
        "dry_run": options["dry_run"],
        "staged": kept.staged,
        "commit": kept.commit,
        "files": [change_record(change) for change in kept.changed],
        "insertions": sum(change.insertions for change in kept.changed),
        "deletions": sum(change.deletions for change in kept.changed),
        "ignored": [show_path(path) for path in kept.extras],
        "conflicts": [show_path(path) for path in kept.conflicts],
        "warnings": list(kept.warnings),
    }


def _show_conflict(place: Place, job: Job, error: KeepConflict) -> int:
    output.note(f"sideshoot: {error}")
    show(_listed(error.paths), output.note)
    if not error.settles:
        return error.exit_status
    ways = {
        ("--conflicts", "markers"): "write both sides into these files, marked",
        ("--conflicts", "ours"): "what you have wins in these places",
        ("--conflicts", "theirs"): "what the job has wins in these places",
        ("--branch", "NAME"): "make a branch of it and merge by hand",
    }
    commands = {next_command(place.call, "keep", job.id, *way): why for way, why in ways.items()}
    longest = max(map(len, commands))
    for command, why in commands.items():
        output.note(f"  {command:<{longest}}  {output.styled(f'# {why}', 'dim', sys.stderr)}")
    return error.exit_status


def _write_patch(place: Place, job: Job, names: Sequence[str], target: str) -> int:
    from sideshoot.workspace.compare import write_patch  # noqa: PLC0415 - not for --help

    if not job.base or not job.result:
        raise WrongState(f"job {job.id} has no result that could be written")
    paths = changed_paths(place, job, names)
    if target == "-":
        write_patch(place.seeing(job), job.base, job.result, output.binary(), paths)
        return 0
    with _new_file(place.call.folder / target) as out:
        write_patch(place.seeing(job), job.base, job.result, out, paths)
    if place.call.json:
        output.say_object({"job_id": job.id, "patch": str(place.call.folder / target)})
    else:
        output.say(f"wrote {target}; `git apply --index {shlex.quote(target)}` brings it in")
    return 0


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    # Written beside and moved there, so that a full disk leaves no half patch.
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with open(unfinished, "wb") as out:
            yield out
        unfinished.replace(path)
    except OSError as error:
        raise KeepRefused(f"can't write {path}: {error.strerror}") from None
    finally:
        with suppress(OSError):  # it was moved, or never made
            unfinished.unlink()


def _make_branch(place: Place, job: Job, name: str) -> int:
    record = branched_record(place, job, name)
    if place.call.json:
        output.say_object(record)
    else:
        at = record["commit"][:10]
        output.say(f"branch {name} holds job {job.id}, at {at}; no file was touched")
    return 0


def branched_record(place: Place, job: Job, name: str) -> dict[str, Any]:
    """Make a branch of a job's result, and say where it is."""
    from sideshoot.jobs.decide import branch_job  # noqa: PLC0415 - not for --help

    commit = branch_job(place.repository, place.store, job, name)
    return {"job_id": job.id, "branch": name, "commit": commit}


def refuse_contradictions(options: dict[str, Any]) -> None:
    """Stop where options say two things."""
    ways = [f"--{name}" for name in ("commit", "branch", "patch") if options[name]]
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} are different ways to keep; choose one")
    if options["message"] and not options["commit"]:
        raise UsageError("-m is the message of a commit; give --commit as well")
    if options["commit"] and options["no_stage"]:
        raise UsageError("--commit and --no-stage contradict each other")
    if options["commit"] and options["conflicts"] == "markers":
        raise UsageError("--commit would commit conflict markers; resolve them first")


def _listed(paths: Sequence[bytes]) -> Iterator[str]:
    return (f"  {show_path(path)}" for path in paths)
