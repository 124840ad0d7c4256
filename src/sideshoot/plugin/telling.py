"""What came of a job, as it is shown in a conversation: the agent's words, what changed, what is next."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from sideshoot.cli.record import actions_of
from sideshoot.cli.references import can_be_resumed, is_active
from sideshoot.cli.summary import COMMAND_WORDS, fact_lines, worthwhile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sideshoot.cli.place import Place
    from sideshoot.model import Job
    from sideshoot.workspace.compare import FileChange

_SLASH = {"status", "result", "diff", "keep", "discard", "undo", "cancel"}
"""The next steps that are slash commands, too."""

_GO_ON = "go on with its thread"


def told(place: Place, job: Job) -> str:
    """A job, in Markdown: of a finished one first what the agent said, word for word."""
    changes = place.changes_of(job)
    parts = [_said(place, job), _facts(place, job, changes), *_next(place, job, changes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def fenced(text: str, language: str = "text") -> str:
    """Text as a block that is shown as it is, whatever it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{fence}{language}\n{ended}{fence}"


def _said(place: Place, job: Job) -> str:
    if is_active(job) or not job.message:
        return ""
    if job.request.review is None:
        return f"{job.message}\n\n---" if not job.request.command else fenced(job.message)
    from sideshoot.review.outcome import outcome_of  # noqa: PLC0415 - only of a review

    found = outcome_of(place.repository, job)
    return f"{found.render('markdown').rstrip()}\n\n---" if found else ""


def _facts(place: Place, job: Job, changes: Sequence[FileChange]) -> str:
    plain = io.StringIO()  # no terminal, so that nothing is coloured
    return fenced("\n".join(fact_lines(place.call, job, changes, plain)))


def _next(place: Place, job: Job, changes: Sequence[FileChange]) -> Iterator[str]:
    """The steps that make sense now: in this conversation, and in any shell."""
    actions = actions_of(job)
    steps = [step for step in worthwhile(job, changes) if step in _SLASH]
    lines = [f"- `/sideshoot:{step} {job.id}` to {COMMAND_WORDS[step]}" for step in steps]
    if "mend" in actions and _has_findings(place, job):
        lines.append(f"- `/sideshoot:rescue --from-review {job.id}` to {COMMAND_WORDS['mend']}")
        steps.append("mend")
    if can_be_resumed(job) and job.continued_by is None:
        lines.append(f"- `/sideshoot:rescue --resume {job.id} TASK` to {_GO_ON}")
    if lines:
        yield "\n".join(lines)
        yield from _in_a_shell(actions[step] for step in steps if step in actions)


def _in_a_shell(commands: Iterable[str]) -> Iterator[str]:
    text = "\n".join(commands)
    if text:
        yield "In a terminal, from any folder:"
        yield fenced(text, "sh")


def _has_findings(place: Place, job: Job) -> bool:
    from sideshoot.review.outcome import outcome_of  # noqa: PLC0415 - only of a review

    found = outcome_of(place.repository, job)
    return found is not None and bool(found.numbers)
