"""`/sideshoot:rescue`: hand a task over to another agent, and what has to be asked before that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sideshoot.cli.columns import cut
from sideshoot.cli.diffstat import counted
from sideshoot.cli.durations import show_age
from sideshoot.cli.references import can_be_resumed
from sideshoot.errors import UsageError
from sideshoot.mcp.places import place_of
from sideshoot.mcp.running import LAST, run_creation
from sideshoot.plugin.asking import Choice, question
from sideshoot.plugin.flags import MAYBE_JOB, SWITCH, VALUE, Flags
from sideshoot.review.rescue import last_review

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.cli.place import Place
    from sideshoot.mcp.answers import Answer
    from sideshoot.mcp.exchange import Exchange
    from sideshoot.model import Job
    from sideshoot.plugin.typed import Typed

    Creation = tuple[Place, Callable[[], Job]]

FLAGS = {
    "--worktree": SWITCH,
    "--write": SWITCH,
    "--background": SWITCH,
    "--wait": SWITCH,
    "--fresh": SWITCH,
    "--resume": MAYBE_JOB,
    "--resume-last": SWITCH,
    "--from-review": MAYBE_JOB,
    "--agent": VALUE,
    "--model": VALUE,
    "--effort": VALUE,
    "--free": SWITCH,
}
"""What may stand in front of the task. `--worktree`, `--write` and `--wait` say what is so anyway."""

_CONTRADICTIONS = (
    ("--background", "--wait"),
    ("--resume", "--fresh"),
    ("--resume-last", "--fresh"),
)

RESUME, FRESH = "resume", "fresh"
"""What the user can answer when there is a thread to go on with."""

_TITLE_WIDTH = 60


def rescue_flags(typed: Typed) -> Flags:
    """The flags and the task of a rescue.

    :raises UsageError: they contradict each other, or one is misspelt.
    """
    flags = Flags(typed.words, FLAGS)
    for one, other in _CONTRADICTIONS:
        if flags.has(one) and flags.has(other):
            raise UsageError(f"{one} and {other} contradict each other; nothing was begun")
    return flags


def rescue_creation(
    exchange: Exchange, typed: Typed, given: Mapping[str, Any]
) -> Creation | Answer:
    """What records the job that is asked for; or the question that comes first, with nothing begun.

    :param given: what the user has answered: `thread` and `from_review`.
    :raises UsageError: there is no task.
    """
    flags = rescue_flags(typed)
    facts = _facts(flags, given) | ({"folder": typed.folder} if typed.folder else {})
    if not (facts["task"].strip() or "resume" in facts or "from_review" in facts):
        return _offer(place_of(exchange, facts))
    if not (flags.has("--fresh") or "resume" in facts or "from_review" in facts):
        answer = given.get("thread")
        agent = "opencode" if facts["free"] else facts.get("agent")
        candidate = _candidate(place_of(exchange, facts), exchange.session, agent)
        if candidate is not None and answer is None:
            return _thread_question(candidate)
        if candidate is not None and answer == RESUME:
            facts["resume"] = candidate.id
    return run_creation(exchange, facts)


def _facts(flags: Flags, given: Mapping[str, Any]) -> dict[str, Any]:
    """The rescue in the words of the tool `run`."""
    facts: dict[str, Any] = {
        "task": flags.text,
        "background": flags.has("--background"),
        "free": flags.has("--free"),
    }
    facts |= {
        name: flags.one(f"--{name}")
        for name in ("agent", "model", "effort")
        if flags.has(f"--{name}")
    }
    if flags.has("--resume") or flags.has("--resume-last"):
        facts["resume"] = flags.one("--resume") or LAST
    if flags.has("--from-review"):
        facts["from_review"] = flags.one("--from-review") or LAST
    elif given.get("from_review"):
        facts["from_review"] = given["from_review"]
    return facts


def _candidate(place: Place, session: str, agent: str | None) -> Job | None:
    """The job whose thread the user might mean: the newest of their session that has one.

    :param agent: the agent that was asked for; a thread can't pass from one to another.
    """
    jobs = (job for job in place.jobs() if job.session == session and can_be_resumed(job))
    found = next(jobs, None)
    return found if found is not None and agent in (None, found.request.agent) else None


def _thread_question(job: Job) -> Answer:
    title = cut(job.title, _TITLE_WIDTH)
    return question(
        f"Go on with the thread of job {job.id} ({job.request.agent}, {_age(job)}: {title}),"
        " or start a new one?",
        Choice("Continue that thread", "It remembers what was said and done.", {"thread": RESUME}),
        Choice("Start a new thread", "It knows nothing but the task.", {"thread": FRESH}),
        otherwise=1,
    )


def _offer(place: Place) -> Answer:
    """The last review as a task, where none was given."""
    found = last_review(place.repository, place.jobs())
    if found is None:
        raise UsageError(
            "there is no task, and no review with findings to mend; type /sideshoot:rescue TASK"
        )
    review, count = found.review, counted(len(found.findings), "finding")
    return question(
        f"There is no task. Let an agent mend what review {review.id} found"
        f" ({count}, {_age(review)})?",
        Choice("Mend the findings", "An agent works on all of them.", {"from_review": review.id}),
        Choice("Do nothing", "Type the command again, with a task.", None),
        otherwise=1,
    )


def _age(job: Job) -> str:
    return show_age(time.time() - (job.finished_at or job.created_at))
