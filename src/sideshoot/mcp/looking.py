"""The tools that only look: `status`, `logs`, `result` and `diff`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sideshoot.cli.details import details_record
from sideshoot.cli.diff import changed_paths, compared, diff_record, reviewed_paths
from sideshoot.cli.logs import event_record, told_of
from sideshoot.cli.record import job_record
from sideshoot.cli.result import finished_job
from sideshoot.cli.status import table_record
from sideshoot.jobs import events
from sideshoot.mcp.answers import Answer
from sideshoot.mcp.patches import beginning_of_patch
from sideshoot.mcp.places import place_of
from sideshoot.mcp.resources import links_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.jobs.events import Logged
    from sideshoot.mcp.exchange import Exchange

MOST_EVENTS = 100


def status(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """What is running and what waits for a decision, or all about one job."""
    place = place_of(exchange, given, only_to_look=True)
    if given.get("job") is None:
        return Answer(table_record(place, everything=given.get("all", False)))
    job = place.find(given["job"])
    return Answer(details_record(place, job), links=links_of(place, job))


def logs(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """The events of a job: the last, or from a number on the first."""
    place = place_of(exchange, given, only_to_look=True)
    job = told_of(place, given.get("job"), exchange.session)
    most, after = given.get("limit", MOST_EVENTS), given.get("after")
    found: list[Logged] | deque[Logged] = [] if after is not None else deque(maxlen=most)
    count = 0
    for event in events.read(place.log_of(job)):
        if event.seq > (after or 0) and (after is None or len(found) < most):
            count += 1
            found.append(event)
    record = {"job_id": job.id, "events": [event_record(event) for event in found]}
    return Answer({**record, "left_out": count - len(found)}, links=links_of(place, job))


def result(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """What came of a job."""
    place = place_of(exchange, given)
    job = finished_job(place, given.get("job"), exchange.session)
    return Answer(job_record(place, job, place.changes_of(job)), links=links_of(place, job))


def diff(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """What a job changed."""
    place = place_of(exchange, given)
    job = finished_job(place, given.get("job"), exchange.session)
    job = compared(job)
    paths = changed_paths(place, job, given.get("paths", ())) or reviewed_paths(job)
    record = diff_record(place, job, paths)
    if not given.get("stat"):
        patch, is_whole = beginning_of_patch(place.seeing(job), job, paths)
        record |= {"patch": patch, "patch_is_whole": is_whole}
    return Answer(record, links=links_of(place, job))
