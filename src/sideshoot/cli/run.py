"""`sideshoot run`: let an agent, or any command, work in a workspace."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import cut, terminal_columns
from sideshoot.cli.consent import consented
from sideshoot.cli.older import by_full_name, meant, older_options, refuse_older
from sideshoot.cli.options import SIZE, Limit, limit_option, session_option
from sideshoot.cli.place import Place, open_place
from sideshoot.cli.prompt import RunCommand, asked_for
from sideshoot.cli.record import job_record
from sideshoot.cli.references import last_thread
from sideshoot.cli.sizes import over_budget
from sideshoot.cli.summary import exit_status_of, next_lines, say_message, show, show_on_stderr
from sideshoot.errors import SideshootError, UsageError
from sideshoot.fence.model import Level
from sideshoot.model import Carry, Copy, Isolation, Job, Outcome, Request
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Event
    from sideshoot.cli.command import Call
    from sideshoot.cli.live import Story
    from sideshoot.cli.prompt import Asked
    from sideshoot.review.rescue import Rescue

EXAMPLES = """\
sideshoot run fix the flaky test in test_cache.py
sideshoot run --agent codex --background --prompt-file task.md
sideshoot run -- ruff check --fix .
sideshoot run --agent codex -- --help prints the wrong default"""

HELP = """Let an agent, or any command, work in a disposable copy of the repository.

\b
  run [OPTIONS] TASK...               a task for an agent, in words
  run [OPTIONS] -- COMMAND [ARG]...   any command
  run --agent NAME -- TASK...         a task that begins with a dash

The copy holds your uncommitted changes too, and nothing of yours is touched until `sideshoot keep`.
Options come before the task; from its first word on nothing is taken for an option.
"""


@click.command("run", cls=RunCommand, options_first=True, help=HELP, example=EXAMPLES)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="TASK... | -- COMMAND...")
@click.option(
    "--agent", metavar="NAME", help="Who does it; else run.agent, or the first that is installed."
)
@click.option("-m", "--model", metavar="M", help="The agent's model.")
@click.option("--effort", metavar="E", help="The agent's reasoning effort.")
@click.option("--agent-mode", metavar="MODE", help="One of the agent's own modes, such as plan.")
@click.option("--prompt-file", metavar="FILE", help="Read the task from FILE, or - for stdin.")
@click.option("--name", metavar="TEXT", help="A name for the job, shown in lists.")
@click.option("-b", "--background", is_flag=True, help="Return at once; the job goes on.")
@limit_option("--timeout", "End it after this long (off: no limit; run.timeout if left out).")
@limit_option("--idle-timeout", "End it after this long without a sign of life.")
@click.option(
    "--output-limit",
    type=SIZE,
    metavar="SIZE",
    help="End it after this much output (10M, 2G; off).",
)
@click.option(
    "--survive", is_flag=True, help="Let it go on if this terminal or the calling host goes away."
)
@click.option(
    "--carry",
    type=click.Choice([carry.value for carry in Carry]),
    help="Your uncommitted changes that the copy starts with: all (the default), only those of "
    "tracked files, or none.",
)
@click.option(
    "--sandbox",
    type=click.Choice([level.value for level in Level]),
    help="Hold it inside a fence: write only to the copy (the default, but for agents with a sandbox "
    "of their own), offline as well, or off.",
)
@click.option(
    "--isolation",
    type=click.Choice([copy.value for copy in Copy]),
    help="The copy is a linked worktree (the default), or a clone with a repository of its own.",
)
@click.option("--base", metavar="REF", help="Start from this commit instead of your HEAD.")
@click.option(
    "--sparse",
    metavar="PATH",
    multiple=True,
    help="Have only this folder in the copy (and the files above it); can be given many times.",
)
@click.option("--worktree", is_flag=True, help="Work in a copy (the default).")
@click.option("--in-place", is_flag=True, help="Work in your own tree.")
@click.option("--read-only", is_flag=True, help="Look at your own tree without writing.")
@click.option("--write", is_flag=True, help="The agent may write (the default).")
@click.option(
    "--resume", is_flag=True, help="Go on with the last job's thread, or with that of JOB."
)
@click.option("--resume-job", hidden=True, metavar="JOB")
@click.option("--resume-last", is_flag=True, help="Go on with the last job's thread.")
@click.option(
    "--thread", metavar="ID", help="Go on with a thread of the agent's own that no job has begun."
)
@click.option("--fresh", is_flag=True, help="Start a new thread (the default).")
@click.option(
    "--from-review",
    is_flag=True,
    help="The task is what the last review found, or that of JOB; your words come first.",
)
@click.option("--from-review-job", hidden=True, metavar="JOB")
@click.option(
    "--finding",
    "findings",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Only this finding of the review; can be given many times.",
)
@session_option("The session that the job belongs to.")
@older_options
def command(call: Call, words: tuple[str, ...], **options: Any) -> int:
    asked = asked_for(
        words,
        dashed=call.dashed == 0,
        agent=options["agent"],
        prompt_file=options["prompt_file"],
        folder=call.folder,
    )
    refuse_contradictions(asked, options)
    place = open_place(call)
    create = creation(place, asked, options)
    return carry_out(
        place,
        create,
        _show_finished,
        background=options["background"],
        survive=options["survive"],
    )


def creation(place: Place, asked: Asked, options: dict[str, Any]) -> Callable[[], Job]:
    """What records the job that is asked for; what can be wrong with it is found out now.

    :raises UsageError: there is no task.
    """
    from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

    rescue = _rescue(place, asked, options)
    request = consented(place, lambda: _request(place, asked, options))
    brief = None
    if rescue is not None:
        from sideshoot.cli.rescue import brief_for  # noqa: PLC0415 - rare

        request = replace(request, from_review=rescue.review.id)
        brief = brief_for(place, request, rescue)
    return partial(
        service.create, place.repository, request, session=options["session"], brief=brief
    )


def carry_out(
    place: Place,
    create: Callable[[], Job],
    show_finished: Callable[[Place, Job], int],
    *,
    background: bool,
    survive: bool = False,
) -> int:
    """Do a job, here or in the background, and show what came of it.

    :param show_finished: shows it, and returns the exit status.
    """
    from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

    for warning in over_budget(place):
        output.note(f"warning: {warning}")
    if survive and not background:
        return _survive(place, create, show_finished)
    job = consented(place, create)
    if background:
        service.launch(place.repository, job.id)
        return _show_launched(place, place.store.get(job.id))
    status = show_finished(place, _work(place, job))
    _look_after(place, job)
    return status


def _survive(
    place: Place, create: Callable[[], Job], show_finished: Callable[[Place, Job], int]
) -> int:
    from sideshoot.cli.survive import Watch, say_it_goes_on  # noqa: PLC0415 - rare

    with Watch(place.repository) as watch:
        job = consented(place, create)
        watch.launch(job)
        _announce(job)
        with _story(place, job) as story:
            watch.follow(story)
            job = place.store.get(job.id)
            story.end(job.message if watch.left is None else None)
        if watch.left is None:
            return show_finished(place, job)
        say_it_goes_on(place, job)
    return 128 + watch.left


def _story(place: Place, job: Job) -> Story:
    from sideshoot.cli.live import WhileHeard, story_of  # noqa: PLC0415 - not for --background

    story = story_of(
        job.request.agent,
        is_command=bool(job.request.command),
        is_review=job.request.review is not None,
        quiet_stdout=place.call.json,
    )
    return WhileHeard(story)


def _work(place: Place, job: Job) -> Job:
    from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

    _announce(job)
    story = _story(place, job)

    def tell(event: Event) -> None:
        story.tell(event.kind, event.data)

    with story:
        job = service.work(place.repository, job.id, on_event=tell)
        story.end(job.message)
    return job


def _look_after(place: Place, job: Job) -> None:
    from sideshoot.jobs.gc import look_after  # noqa: PLC0415 - not for --help

    with suppress(SideshootError, OSError):
        look_after(place.repository, place.store, job.id)


def _announce(job: Job) -> None:
    who = "" if job.request.command else f"{job.request.agent}: "
    room = max(terminal_columns() - len(job.id) - 7, 20)
    name = output.styled(job.id, "bold", sys.stderr)
    output.note(f"job {name}  {cut(f'{who}{job.title}', room)}")


def _show_finished(place: Place, job: Job) -> int:
    changes = place.changes_of(job)
    if place.call.json:
        output.say_object(job_record(place, job, changes))
    else:
        if job.message and not job.request.command:
            say_message(job.message)
        if job.outcome is Outcome.CANCELLED and output.is_terminal(sys.stderr):
            output.note()  # the terminal has shown ^C where the line was
        show_on_stderr(place.call, job, changes)
    return exit_status_of(job)


def _show_launched(place: Place, job: Job) -> int:
    if place.call.json:
        output.say_object(job_record(place, job, []))
        return 0
    output.say(job.id)
    output.note("it goes on in the background")
    show(next_lines(place.call, job, ["status", "logs", "cancel"], sys.stderr), output.note)
    return 0


def refuse_contradictions(asked: Asked, options: dict[str, Any]) -> None:
    """Stop where options say two things."""
    refuse_older(options)
    resumed, thread = _is_resumed(options), options["thread"]
    if resumed and thread:
        raise UsageError("--resume and --thread both name what to go on with; give one of them")
    if (resumed or thread) and options["fresh"]:
        option = "--thread" if thread else "--resume"
        raise UsageError(f"--fresh starts a new thread; it can't be combined with {option}")
    where = [f"--{name.replace('_', '-')}" for name in _ISOLATIONS if options[name]]
    own = [flag for flag in where if flag != "--worktree"]
    if own and options.get("isolation"):
        raise UsageError(f"--isolation chooses the kind of copy; with {own[0]} there is none")
    where += ["--write"] if options["write"] and options["read_only"] else []
    if len(where) > 1:
        raise UsageError(f"{' and '.join(where)} contradict each other")
    if (resumed or thread) and asked.command:
        raise UsageError("a command has no thread that could be resumed")
    from_review = options["from_review"] or options["from_review_job"]
    if from_review and asked.command:
        raise UsageError("the findings of a review are a task for an agent, not for a command")
    looks_here = options["read_only"] and options["base"] is None
    if options["sparse"] and (resumed or options["in_place"] or looks_here):
        raise UsageError("--sparse says what a new copy has; here there is none")
    if options["findings"] and not from_review:
        raise UsageError("--finding chooses findings of a review; --from-review names it")


def _rescue(place: Place, asked: Asked, options: dict[str, Any]) -> Rescue | None:
    """The findings that are asked for, or that are the task since none was given."""
    if options["from_review"] or options["from_review_job"]:
        from sideshoot.cli.rescue import wanted_rescue  # noqa: PLC0415 - rare

        return wanted_rescue(place, options["from_review_job"], options["findings"])
    if asked.prompt.strip() or asked.command or _is_resumed(options) or options["thread"]:
        return None
    from sideshoot.cli.rescue import offered_rescue  # noqa: PLC0415 - rare

    rescue = offered_rescue(place)
    if rescue is None:
        raise UsageError(
            "there is no task; give it in words, with --prompt-file, or as `-- COMMAND`"
        )
    return rescue


def _request(place: Place, asked: Asked, options: dict[str, Any]) -> Request:
    from sideshoot.config import require_consent  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.defaults import filled  # noqa: PLC0415

    config = place.config()
    if options["background"]:
        require_consent(config, "notify.command")
    resumed = _resumed(place, options)
    given = {"command": asked.command, **meant(given_in(options), options, config)}
    return Request(
        prompt=asked.prompt,
        base=options["base"],
        sparse=_sparse(place, options),
        isolation=_isolation(options),
        copy=Copy(options["isolation"]) if options.get("isolation") else None,
        resume=resumed.id if resumed else None,
        thread=options["thread"],
        name=options["name"],
        subfolder=place.subfolder,
        **by_full_name(filled(config, given, resumed=resumed)),
    )


def _sparse(place: Place, options: dict[str, Any]) -> tuple[str, ...]:
    """The folders that the copy shall have.

    :raises UsageError: one of them is a file.
    """
    folders = tuple(map(os.fsdecode, place.tree_paths(options["sparse"])))
    for folder in folders:
        if (place.repository.top / folder).is_file():
            raise UsageError(f"--sparse takes folders, and {show_path(folder)} is a file")
    return folders


def given_in(options: dict[str, Any]) -> dict[str, Any]:
    """What the options say of the manner of the work, as fields of a request."""
    names = ("agent", "model", "effort", "agent_mode", "carry", "sandbox")
    given = {name: options.get(name) for name in (*names, "output_limit")}
    given |= {f"{name}_s": options[name] for name in ("timeout", "idle_timeout")}
    return {
        name: value.amount if isinstance(value, Limit) else value
        for name, value in given.items()
        if value is not None
    }


_ISOLATIONS = {
    "worktree": Isolation.WORKTREE,
    "in_place": Isolation.IN_PLACE,
    "read_only": Isolation.READ_ONLY,
}


def _isolation(options: dict[str, Any]) -> Isolation:
    chosen = [where for name, where in _ISOLATIONS.items() if options[name]]
    return chosen[0] if chosen else Isolation.WORKTREE


def _is_resumed(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("resume", "resume_job", "resume_last"))


def _resumed(place: Place, options: dict[str, Any]) -> Job | None:
    if options["resume_job"]:
        return place.find(options["resume_job"])
    if options["resume"] or options["resume_last"]:
        return last_thread(place, options["session"])
    return None
