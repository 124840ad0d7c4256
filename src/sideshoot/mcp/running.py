"""The tools `run`, `review` and `wait`.

A job always has a worker of its own, so that it does not depend on this server or its client. A
call that waits follows the job's events from here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sideshoot.amounts import parse_duration, parse_size
from sideshoot.cli import review as reviewing
from sideshoot.cli.options import Limit
from sideshoot.cli.prompt import Asked, is_text
from sideshoot.cli.record import job_record
from sideshoot.cli.run import creation, refuse_contradictions
from sideshoot.cli.summary import exit_status_of
from sideshoot.cli.wait import is_late, waited_for, waited_record
from sideshoot.errors import SideshootError, UsageError
from sideshoot.jobs import service
from sideshoot.mcp.answers import Answer
from sideshoot.mcp.places import place_of
from sideshoot.mcp.resources import links_of
from sideshoot.mcp.watch import watched
from sideshoot.model import ReviewKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.cli.place import Place
    from sideshoot.mcp.exchange import Exchange
    from sideshoot.model import Job

LAST = "last"
"""Stands for the latest, where a job can be named to go on from."""


def run(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Start a job."""
    place, create = run_creation(exchange, given)
    return _carried_out(exchange, place, create, given)


def review(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Start a review."""
    place, create = review_creation(exchange, given)
    return _carried_out(exchange, place, create, given)


def run_creation(exchange: Exchange, given: Mapping[str, Any]) -> tuple[Place, Callable[[], Job]]:
    """What records the job that a call asks for, and where; what can be wrong is found out now."""
    asked = _asked(given)
    options = _run_options(exchange, given)
    refuse_contradictions(asked, options)
    place = place_of(exchange, given)
    return place, creation(place, asked, options)


def review_creation(
    exchange: Exchange, given: Mapping[str, Any]
) -> tuple[Place, Callable[[], Job]]:
    """The same for a review."""
    kind, focus = ReviewKind.REVIEW, given.get("focus", "")
    if focus or given.get("adversarial"):
        kind = ReviewKind.ADVERSARIAL
    _refuse_halves(focus)
    options = _review_options(exchange, given)
    reviewing.refuse_contradictions(options)
    place = place_of(exchange, given)
    return place, reviewing.creation(place, kind, focus, options)


def begun(place: Place, create: Callable[[], Job]) -> Job:
    """Have a job done by a worker of its own."""
    job = create()
    service.launch(place.repository, job.id)
    return place.store.get(job.id)


def awaited(exchange: Exchange, place: Place, job_id: str) -> Job:
    """Wait for a job, and stop it if the client wants that."""
    (job,) = watched(exchange, place, [job_id])
    return _stopped(place, job) if exchange.is_stopped else job


def wait(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Wait for jobs."""
    place = place_of(exchange, given)
    first = bool(given.get("any"))
    limit = _limit(given, "timeout", parse_duration)
    jobs = waited_for(place, given.get("jobs") or [])
    now = watched(
        exchange,
        place,
        [job.id for job in jobs],
        first=first,
        timeout_s=limit.amount if limit else None,
    )
    return Answer(waited_record(now, late=is_late(now, first=first)))


def _carried_out(
    exchange: Exchange, place: Place, create: Callable[[], Job], given: Mapping[str, Any]
) -> Answer:
    """Have a job done, and wait for it unless it is for the background."""
    job = begun(place, create)
    if given.get("background"):
        return Answer(job_record(place, job, []))
    exchange.tell(f"job {job.id} has begun", at_once=True)
    return _told(place, awaited(exchange, place, job.id))


def _asked(given: Mapping[str, Any]) -> Asked:
    task, command = given.get("task", ""), tuple(given.get("command", ()))
    if task and command:
        raise UsageError("there is a task and a command; give one of them")
    if not (task.strip() or command or given.get("resume") or given.get("from_review")):
        raise UsageError("there is no task; give `task`, `command`, `resume` or `from_review`")
    _refuse_halves(task)
    return Asked(task, command)


def _refuse_halves(task: str) -> None:
    if not is_text(task):
        raise UsageError("the task is no text: it has halves of characters in it")


def _run_options(exchange: Exchange, given: Mapping[str, Any]) -> dict[str, Any]:
    """The call in the words of the command `run`."""
    names = ("agent_mode", "carry", "isolation", "base")
    resume, from_review = given.get("resume"), given.get("from_review")
    return {
        **_common_options(exchange, given),
        **{name: given.get(name) for name in names},
        "worktree": False,
        "write": False,
        "in_place": False,
        "read_only": given.get("read_only", False),
        "sparse": tuple(given.get("sparse", ())),
        "fresh": False,
        "thread": None,
        "resume": False,
        "resume_last": resume == LAST,
        "resume_job": None if resume == LAST else resume,
        "from_review": from_review == LAST,
        "from_review_job": None if from_review == LAST else from_review,
        "findings": tuple(given.get("findings", ())),
    }


def _review_options(exchange: Exchange, given: Mapping[str, Any]) -> dict[str, Any]:
    """The call in the words of the command `review`."""
    names = ("base", "scope", "commit", "pr", "job")
    return {
        **_common_options(exchange, given),
        **{name: given.get(name) for name in names},
        "paths": tuple(given.get("paths", ())),
    }


def _common_options(exchange: Exchange, given: Mapping[str, Any]) -> dict[str, Any]:
    """What both commands take."""
    return {
        **{name: given.get(name) for name in ("agent", "model", "effort", "sandbox", "name")},
        "background": given.get("background", False),
        "free": given.get("free", False),
        "session": exchange.session,
        "timeout": _limit(given, "timeout", parse_duration),
        "idle_timeout": _limit(given, "idle_timeout", parse_duration),
        "output_limit": _limit(given, "output_limit", parse_size),
    }


def _limit(
    given: Mapping[str, Any], name: str, parse: Callable[[str], float | None]
) -> Limit | None:
    if name not in given:
        return None
    try:
        return Limit(parse(given[name]))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def _stopped(place: Place, job: Job) -> Job:
    with suppress(SideshootError):  # it has finished in this moment
        service.cancel(place.repository, job.id)
    return place.store.get(job.id)


def _told(place: Place, job: Job) -> Answer:
    changes = place.changes_of(job)
    record = job_record(place, job, changes)
    return Answer(record, failed=exit_status_of(job) != 0, links=links_of(place, job))
