"""What came of a job, for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sideshoot.cli import output
from sideshoot.cli.actions import next_command
from sideshoot.cli.diffstat import counted, stat_lines
from sideshoot.cli.durations import show_duration
from sideshoot.cli.failure import FAULT, Fault
from sideshoot.cli.record import duration_s, next_steps
from sideshoot.cli.references import is_look
from sideshoot.model import Decision, Job, Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from sideshoot.cli.command import Call
    from sideshoot.workspace.compare import FileChange

MOST_FILES = 30
MOST_IGNORED = 5

EXIT_STATUS = {
    Outcome.SUCCEEDED: 0,
    Outcome.FAILED: 1,
    Outcome.INTERRUPTED: 1,
    Outcome.TIMED_OUT: 124,
    Outcome.CANCELLED: 130,
}

_COLOURS = {Outcome.SUCCEEDED: "green", Outcome.FAILED: "red", Outcome.INTERRUPTED: "red"}

COMMAND_WORDS = {
    "diff": "see what changed",
    "keep": "bring it into your tree",
    "discard": "drop it",
    "undo": "take the keep back",
    "restore": "have it back",
    "status": "see how it goes",
    "logs": "see what it does",
    "cancel": "stop it",
    "result": "see what it said",
    "mend": "let an agent mend it",
}

_COMMANDS = {"logs": ("logs", "-f"), "mend": ("run", "--from-review")}
"""Of the steps that are not commands of their own names."""


def exit_status_of(job: Job) -> int:
    """The exit status that a job's outcome means; 0 while it has none."""
    if job.error is not None and job.error.startswith(FAULT):
        return Fault.exit_status
    return EXIT_STATUS[job.outcome] if job.outcome else 0


def summary_lines(
    call: Call,
    job: Job,
    changes: Sequence[FileChange],
    stream: TextIO,
    further: Sequence[str] = (),
) -> Iterator[str]:
    """Outcome, changes, warnings and the next commands, to be shown on `stream`.

    :param further: steps that make sense beside those of every job.
    """
    yield from fact_lines(call, job, changes, stream)
    yield from next_lines(call, job, [*worthwhile(job, changes), *further], stream)


def fact_lines(
    call: Call, job: Job, changes: Sequence[FileChange], stream: TextIO
) -> Iterator[str]:
    """The same without the commands."""
    yield outcome_line(job, stream)
    if job.result or changes:
        yield from stat_lines(changes, most=MOST_FILES, stream=stream)
    if job.ignored_count and job.worktree is not None:
        yield f" {_ignored(call, job)}"
    for warning in job.warnings:
        yield f"{output.styled('warning:', 'yellow', stream)} {warning}"
    if job.continued_by is not None:
        yield f"job {job.continued_by} went on from here; it holds this work, too"


def outcome_line(job: Job, stream: TextIO) -> str:
    """`job k3f9ab succeeded in 12s`, with the reason if it did not."""
    if job.state is not State.FINISHED or job.outcome is None:
        return f"job {job.id} is {job.state.value}"
    word = output.styled(shown_outcome(job.outcome), _COLOURS.get(job.outcome, "yellow"), stream)
    time = duration_s(job)
    after = f" after {show_duration(time)}" if time is not None else ""
    undecided = job.decision is Decision.OPEN or is_look(job)
    decided = "" if undecided else f" ({job.decision.value})"
    reason = f": {' '.join(job.error.split())}" if job.error else ""
    return f"job {job.id} {word}{after}{decided}{reason}"


def shown_outcome(outcome: Outcome) -> str:
    return {Outcome.TIMED_OUT: "timed out", Outcome.CANCELLED: "was cancelled"}.get(
        outcome, "was interrupted" if outcome is Outcome.INTERRUPTED else outcome.value
    )


def next_lines(call: Call, job: Job, steps: Sequence[str], stream: TextIO) -> Iterator[str]:
    """The commands that come next, each with what it does."""
    commands = [next_command(call, *_COMMANDS.get(step, (step,)), job.id) for step in steps]
    longest = max(map(len, commands), default=0)
    for command, step in zip(commands, steps, strict=True):
        yield f"  {command:<{longest}}  {output.styled(f'# {COMMAND_WORDS[step]}', 'dim', stream)}"


def say_message(text: str) -> None:
    """An agent's message as the result: word for word, and the line ended."""
    output.write(text if text.endswith("\n") else f"{text}\n")


def show(lines: Iterator[str], printer: Callable[[str], None]) -> None:
    """Print lines one after the other."""
    for line in lines:
        printer(line)


def show_on_stderr(
    call: Call, job: Job, changes: Sequence[FileChange], further: Sequence[str] = ()
) -> None:
    """The summary as the end of a story, whose result has been shown."""
    show(summary_lines(call, job, changes, sys.stderr, further), output.note)


def worthwhile(job: Job, changes: Sequence[FileChange]) -> list[str]:
    """The names of the commands that make sense for a job with these changes."""
    nothing = job.state is State.FINISHED and not changes and job.decision is Decision.OPEN
    if nothing and job.continued_by is None:
        return ["discard"] if job.worktree else []
    return [step for step in next_steps(job) if step != "result"]


def _ignored(call: Call, job: Job) -> str:
    names = ", ".join(job.ignored_paths[:MOST_IGNORED])
    more = ", …" if len(job.ignored_paths) > MOST_IGNORED else ""
    how = next_command(call, "keep", job.id, "--ignored", "PATH")
    return f"not counted: {counted(job.ignored_count, 'ignored path')} ({names}{more}); `{how}` brings one"
