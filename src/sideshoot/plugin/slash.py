"""The tool `slash_command`: carry out what the user has typed."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sideshoot.cli.summary import exit_status_of
from sideshoot.errors import UsageError
from sideshoot.mcp.answers import Answer
from sideshoot.mcp.places import place_of
from sideshoot.mcp.running import awaited, begun
from sideshoot.plugin import background, commands, reviews, typed
from sideshoot.plugin.rescue import rescue_creation, rescue_flags
from sideshoot.plugin.telling import told
from sideshoot.plugin.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sideshoot.cli.place import Place
    from sideshoot.mcp.exchange import Exchange

_JOBS = ("rescue", "review", "adversarial-review")
"""The commands that begin a job."""

_hook_works = threading.Event()
"""Something held was asked for. From then on the words of the model are not taken for the user's: they
could be those of an answer that it has just read, in a turn in which the user allows this tool."""


def slash_command(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Carry out a slash command, and answer with what the user shall see."""
    with _claimed(given) as claimed:
        if claimed.session:
            # The host may have begun another session since it started this server.
            exchange.session = claimed.session
        begins = claimed.command in _JOBS
        started = _begun(exchange, claimed, given) if begins else None
        if claimed.command not in (*_JOBS, *commands.LOOKING):
            _once(claimed, given["request"])
    if started is None:
        return commands.carried_out(exchange, claimed)
    if isinstance(started, Answer):
        return started
    place, job_id = started
    return _ended(exchange, place, job_id, waits=not _is_background(claimed))


@contextmanager
def _claimed(given: Mapping[str, Any]) -> Iterator[Typed]:
    """What was typed: what is held, or else what the model has copied.

    :raises UsageError: there is neither, or the model must have been told what is held.
    """
    if given.get("request") is not None:
        with typed.carrying_out(given["request"]) as claimed:
            _hook_works.set()
            yield claimed
    elif given.get("command") is None:
        raise UsageError("give `request`, or if no id was told, `command` and `words`")
    elif _hook_works.is_set():
        raise UsageError("only the user can type a slash command; there is a `request` for each")
    else:
        yield Typed(given["command"], given.get("words", ""))


def _once(claimed: Typed, request: str) -> None:
    """Stop where it was carried out before: a model that calls again decides nothing anew."""
    if claimed.is_done:
        raise UsageError(
            f"this /sideshoot:{claimed.command} was carried out already; the user can type it again"
        )
    typed.note_done(request)


def _begun(
    exchange: Exchange, claimed: Typed, given: Mapping[str, Any]
) -> tuple[Place, str] | Answer:
    """Begin the job that is asked for, or find it if it was begun before."""
    if claimed.job is not None:
        return place_of(exchange, {"folder": claimed.folder or None}), claimed.job
    if claimed.command == "rescue":
        creation = rescue_creation(exchange, claimed, given)
        if isinstance(creation, Answer):
            return creation
    else:
        creation = reviews.creation_of(exchange, claimed)
    place, create = creation
    job = begun(place, create)
    if _is_background(claimed):
        background.began(place.store, job)
    if given.get("request") is not None:
        typed.note_job(given["request"], job.id)
    exchange.tell(f"job {job.id} has begun", at_once=True)
    return place, job.id


def _is_background(claimed: Typed) -> bool:
    flags = rescue_flags if claimed.command == "rescue" else reviews.review_flags
    return flags(claimed).has("--background")


def _ended(exchange: Exchange, place: Place, job_id: str, *, waits: bool) -> Answer:
    job = awaited(exchange, place, job_id) if waits else place.store.get(job_id)
    return Answer({}, text=told(place, job), failed=exit_status_of(job) != 0)
