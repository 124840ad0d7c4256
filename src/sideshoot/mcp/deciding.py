"""The tools that decide about jobs: `keep`, `discard`, `undo` and `cancel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.cli import keep as keeping
from sideshoot.cli.cancel import cancel as cancel_job
from sideshoot.cli.discard import discard_each, discarded_record
from sideshoot.cli.record import job_record
from sideshoot.cli.references import (
    is_active,
    is_kept,
    is_open,
    is_undecided,
    meant_job,
    meant_jobs,
    own_first,
)
from sideshoot.cli.result import refuse_unfinished
from sideshoot.cli.undo import undone_record
from sideshoot.mcp.answers import Answer
from sideshoot.mcp.places import place_of
from sideshoot.mcp.resources import links_of
from sideshoot.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.mcp.exchange import Exchange


def keep(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Bring a job's changes into the user's tree, or make a branch of them."""
    options = _keep_options(given)
    keeping.refuse_contradictions(options)
    place = place_of(exchange, given)
    tests = own_first(exchange.session, *keeping.MEANT)
    job = meant_job(place, given.get("job"), *tests, what=keeping.WHAT)
    refuse_unfinished(job)
    if options["branch"]:
        return Answer(keeping.branched_record(place, job, options["branch"]))
    kept = keeping.bring(place, job, given.get("paths", ()), options)
    stopped = options["dry_run"] and options["conflicts"] == "stop" and bool(kept.conflicts)
    return Answer(keeping.kept_record(place.store.get(job.id), kept, options), failed=stopped)


def discard(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Drop jobs."""
    place = place_of(exchange, given)
    tests = own_first(exchange.session, is_undecided, is_active, is_open)
    jobs = meant_jobs(place, given.get("jobs", ()), *tests, what="job to discard")
    for job in jobs:
        refuse_unfinished(job)
    done, failed = discard_each(place, jobs)
    return Answer(discarded_record(done, failed), failed=bool(failed))


def undo(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Take a keep back."""
    from sideshoot.jobs.decide import undo_job  # noqa: PLC0415 - the largest part of what is loaded

    place = place_of(exchange, given)
    tests = own_first(exchange.session, is_kept)
    job = meant_job(place, given.get("job"), *tests, what="kept job")
    undone = undo_job(place.repository, place.store, job)
    return Answer(undone_record(place.store.get(job.id), undone))


def cancel(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    """Stop a job; without a name, one that this client began."""
    place = place_of(exchange, given)
    job = cancel_job(place, given.get("job"), exchange.session)
    record = job_record(place, job, place.changes_of(job))
    links = links_of(place, job)
    return Answer(record, failed=job.outcome is not Outcome.CANCELLED, links=links)


def _keep_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The call in the words of the command `keep`."""
    return {
        "dry_run": given.get("dry_run", False),
        "no_stage": given.get("no_stage", False),
        "commit": given.get("commit", False),
        "message": given.get("message"),
        "branch": given.get("branch"),
        "patch": None,
        "conflicts": given.get("conflicts", "stop"),
        "ignored": given.get("ignored", ()),
    }
