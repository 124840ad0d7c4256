"""`sideshoot review` and `adversarial-review`: have a change looked at by an agent that may not write."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.cli.consent import consented
from sideshoot.cli.older import by_full_name, meant, older_options, one_by_one, refuse_older
from sideshoot.cli.options import JOB, SIZE, limit_option, session_option
from sideshoot.cli.place import open_place
from sideshoot.cli.prompt import asked_for
from sideshoot.cli.reviewed import form_options, judged, refuse_forms, show_review
from sideshoot.cli.run import carry_out, given_in
from sideshoot.cli.summary import exit_status_of
from sideshoot.errors import UsageError
from sideshoot.fence.model import Level
from sideshoot.model import Request, ReviewKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job
    from sideshoot.review.target import Target, Wanted

    Decorator = Callable[[Any], Any]

EXAMPLES = """\
sideshoot review
sideshoot review --base main --agent claude
sideshoot review --job k3f9ab --fail-on high
sideshoot review --path src/cache.py --format sarif --output review.sarif"""

HELP = """Have a change reviewed by an agent that can write nothing, and show what it found.

Without an option that says which, it is all that is uncommitted in your working tree, untracked files
too; if nothing is, what your branch has and its base has not.
"""

ADVERSARIAL_EXAMPLES = """\
sideshoot adversarial-review
sideshoot adversarial-review --base main what happens if two of these run at once
sideshoot adversarial-review --background -- --force must never lose data"""

ADVERSARIAL_HELP = """Have a reviewer try to break the confidence in a change.

FOCUS is what it shall look at above all, in your words; options come before it, and from its first word
on nothing is taken for an option. Which change it is says what says it for `sideshoot review`.
"""

_SCOPES = ("auto", "working-tree", "branch")


def _options(command: Any) -> Any:
    """The options of both commands, in the order in which they are shown."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[Decorator, ...] = (
    click.option("--base", metavar="REF", help="What HEAD has since it left this branch."),
    click.option(
        "--scope",
        type=click.Choice(_SCOPES),
        default=None,
        help="What is uncommitted, or the branch; auto (the default): whichever there is.",
    ),
    click.option("--commit", metavar="REV", help="What this commit changed."),
    click.option(
        "--pr", type=click.IntRange(min=1), metavar="N", help="This pull request, by GitHub's gh."
    ),
    click.option("--job", type=JOB, metavar="JOB", help="What this job did: is it worth keeping?"),
    click.option(
        "--path",
        "paths",
        multiple=True,
        metavar="PATH",
        help="Only what is changed there; can be given many times.",
    ),
    click.option(
        "--agent", metavar="NAME", help="Who does it; else run.agent, or the first installed."
    ),
    click.option("-m", "--model", metavar="M", help="The agent's model."),
    click.option("--effort", metavar="E", help="The agent's reasoning effort."),
    click.option("--name", metavar="TEXT", help="A name for the job, shown in lists."),
    click.option("-b", "--background", is_flag=True, help="Return at once; it goes on."),
    limit_option("--timeout", "End it after this long (off: no limit; else run.timeout)."),
    limit_option("--idle-timeout", "End it after this long without a sign of life."),
    click.option(
        "--output-limit", type=SIZE, metavar="SIZE", help="End it after this much output."
    ),
    click.option("--survive", is_flag=True, help="Let it go on if this terminal goes away."),
    click.option(
        "--sandbox",
        type=click.Choice([level.value for level in Level]),
        help="Hold it inside a fence: write to nothing here (the default, but for agents with a sandbox "
        "of their own), offline as well, or off.",
    ),
    form_options,
    session_option("The session that the job belongs to."),
    older_options,
)


@click.command("review", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("words", nargs=-1, metavar="")
@_options
def command(call: Call, words: tuple[str, ...], **options: Any) -> int:
    if words:
        raise UsageError(
            f"review takes no words: {words[0]!r}; `adversarial-review FOCUS…` looks at something "
            "above all, and each path has a `--path` of its own"
        )
    return review(call, ReviewKind.REVIEW, "", options)


@click.command(
    "adversarial-review",
    cls=Command,
    options_first=True,
    help=ADVERSARIAL_HELP,
    example=ADVERSARIAL_EXAMPLES,
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[FOCUS]...")
@click.option("--prompt-file", metavar="FILE", help="Read the focus from FILE, or - for stdin.")
@_options
def adversarial(call: Call, words: tuple[str, ...], **options: Any) -> int:
    asked = asked_for(
        words,
        dashed=False,
        agent=options["agent"],
        prompt_file=options["prompt_file"],
        folder=call.folder,
    )
    return review(call, ReviewKind.ADVERSARIAL, asked.prompt, options)


def review(call: Call, kind: ReviewKind, focus: str, options: dict[str, Any]) -> int:
    """Find the change, have it reviewed, and show what was found."""
    refuse_forms(call, options)
    refuse_contradictions(options)
    place = open_place(call)
    create = creation(place, kind, focus, options)
    show = partial(_show, options=options)
    return carry_out(
        place, create, show, background=options["background"], survive=options["survive"]
    )


def creation(
    place: Place, kind: ReviewKind, focus: str, options: dict[str, Any]
) -> Callable[[], Job]:
    """What records the review that is asked for; the change is found now."""
    from sideshoot.review.start import begin, reviewing_of  # noqa: PLC0415 - not for --help

    wanted = _wanted(place, options)
    request = consented(place, lambda: _request(place, focus, options))
    consented(place, lambda: reviewing_of(place.repository, request))
    target = _target(place, wanted)
    return partial(begin, place.repository, target, request, kind=kind, session=options["session"])


def _show(place: Place, job: Job, *, options: dict[str, Any]) -> int:
    show_review(place, job, form=options["form"], file=options["output"])
    return exit_status_of(job) or judged(place, job, options["fail_on"])


def _target(place: Place, wanted: Wanted) -> Target:
    from sideshoot.review.target import resolve  # noqa: PLC0415 - not for --help

    target = resolve(place.repository, wanted)
    for note in target.notes:
        output.note(note)
    return target


def _wanted(place: Place, options: dict[str, Any]) -> Wanted:
    from sideshoot.review.target import Scope, Wanted  # noqa: PLC0415 - not for --help

    return Wanted(
        scope=Scope(options["scope"] or Scope.AUTO),
        base=options["base"],
        commit=options["commit"],
        pull_request=options["pr"],
        job=place.find(options["job"]) if options["job"] else None,
        paths=place.tree_paths(one_by_one(options["paths"], place.call.folder)),
    )


def refuse_contradictions(options: dict[str, Any]) -> None:
    """Stop where options name several changes."""
    refuse_older(options)
    given = [name for name in ("base", "commit", "pr", "job") if options[name] is not None]
    scope = options["scope"]
    if scope is not None and given and (given != ["base"] or scope != "branch"):
        given.append("scope")
    if len(given) > 1:
        named = " and ".join(f"--{name}" for name in given)
        raise UsageError(f"{named} name different changes; give one of them")


def _request(place: Place, focus: str, options: dict[str, Any]) -> Request:
    from sideshoot.config import require_consent  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.defaults import filled  # noqa: PLC0415

    config = place.config()
    if options["background"]:
        require_consent(config, "notify.command")
    given = meant(given_in(options), options, config)
    manner = by_full_name(filled(config, given)) | {"agent_mode": None}
    return Request(prompt=focus, name=options["name"], **manner)
