"""What came of a review: its findings, in the form that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import terminal_columns
from sideshoot.cli.record import job_record
from sideshoot.cli.summary import show_on_stderr
from sideshoot.errors import SideshootError, UsageError
from sideshoot.model import Outcome
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.model import Job
    from sideshoot.review.outcome import Found

SEVERITIES = ("critical", "high", "medium", "low")
_FOR_PEOPLE = ("text", "markdown")
FORMS = ("text", "markdown", "json", "sarif", "lines")


def form_options(command: Any) -> Any:
    """`--format`, `--output` and `--fail-on`."""
    command = click.option(
        "--fail-on",
        metavar="SEVERITY",
        type=click.Choice(SEVERITIES),
        help="End with 1 if a finding is as severe as this: critical, high, medium or low.",
    )(command)
    command = click.option(
        "--output", metavar="FILE", help="Write the findings to FILE and not to standard output."
    )(command)
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMS),
        help="How the findings are shown: text (the default), markdown, json, sarif (for editors and "
        "code hosts), or lines (path:line).",
    )(command)


def refuse_forms(call: Call, options: dict[str, Any]) -> None:
    """:raises UsageError: the form contradicts `--json`, or nobody waits for the findings."""
    given = [name for name in ("form", "output", "fail_on") if options[name]]
    if options.get("background") and given:
        name = f"--{given[0].replace('_', '-').replace('form', 'format')}"
        raise UsageError(
            f"{name} is for findings, and --background does not wait for them; `sideshoot result JOB`"
            " takes it once they are there"
        )
    if call.json and options["form"] not in (None, "json") and not options["output"]:
        raise UsageError(f"--json and --format {options['form']} can't both go to standard output")


def show_review(place: Place, job: Job, *, form: str | None, file: str | None) -> None:
    """Show what came of a review that has ended.

    :param file: where the findings go in place of standard output, relative to the caller's folder.
    """
    text = _shown(place, job, form or "text", to_file=file is not None)
    if text and file is not None:
        _write(place, file, text)
    if place.call.json:
        output.say_object(job_record(place, job, place.changes_of(job)))
        return
    if text and file is None:
        output.write(text)
    found = _found(place, job)
    further = ["mend"] if found is not None and found.numbers else []
    show_on_stderr(place.call, job, place.changes_of(job), further)


def judged(place: Place, job: Job, fail_on: str | None) -> int:
    """The exit status that the findings mean.

    :param fail_on: the severity from which on a finding is a failure; `None` if none is.
    """
    found = _found(place, job)
    if fail_on is None or found is None:
        return 0
    if found.is_prose:
        output.note("--fail-on can't be judged, since the answer is not in the form of findings")
        return 1
    return int(found.has(fail_on))


def review_record(place: Place, job: Job) -> dict[str, Any]:
    """The change and what was found, for the record of a review."""
    review = job.request.review
    assert review is not None
    found = _found(place, job)
    return {
        "what": review.what,
        "before": review.before,
        "after": review.after,
        "paths": [show_path(path) for path in review.paths],
        **(found.record() if found else {}),
    }


def _write(place: Place, file: str, text: str) -> None:
    target = place.call.folder / file
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SideshootError(f"can't write {target}: {error.strerror}") from None
    output.note(f"the findings are in {target}")


def _shown(place: Place, job: Job, form: str, *, to_file: bool) -> str:
    """The findings in a form; what was said by a reviewer that did not come to its end is for people."""
    found = _found(place, job)
    if found is None or (job.outcome is not Outcome.SUCCEEDED and form not in _FOR_PEOPLE):
        return ""
    if form != "text":
        return found.render(form)
    return _text(found, to_file=to_file)


def _text(found: Found, *, to_file: bool) -> str:
    from sideshoot.cli.findings import finding_lines  # noqa: PLC0415 - not for --help

    paint = _plain if to_file else output.styled
    lines = finding_lines(found.review, columns=terminal_columns(), paint=paint)
    return "".join(f"{line}\n" for line in lines)


def _plain(text: str, colour: str) -> str:  # noqa: ARG001 - the shape of `styled`
    return text


def _found(place: Place, job: Job) -> Found | None:
    from sideshoot.review.outcome import outcome_of  # noqa: PLC0415 - not for --help

    return outcome_of(place.repository, job)
