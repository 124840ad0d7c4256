"""A job as JSON can hold it, and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sideshoot.model import (
    Carry,
    Copy,
    Decision,
    Driver,
    Equipment,
    Isolation,
    Job,
    JobId,
    Outcome,
    Request,
    Reviewed,
    ReviewKind,
    State,
)

_REQUEST_FIELDS = frozenset(field.name for field in fields(Request))
_REVIEWED_FIELDS = frozenset(field.name for field in fields(Reviewed))
_EQUIPMENT_FIELDS = frozenset(field.name for field in fields(Equipment))
_JOB_FIELDS = frozenset(field.name for field in fields(Job))


def to_record(job: Job) -> dict[str, Any]:
    """All facts of a job."""
    record = {name: getattr(job, name) for name in _JOB_FIELDS}
    record["request"] = {name: getattr(job.request, name) for name in _REQUEST_FIELDS}
    record["request"]["equipment"] = asdict(job.request.equipment)
    if job.request.driver is not None:
        record["request"]["driver"] = asdict(job.request.driver)
    if job.request.review is not None:
        record["request"]["review"] = asdict(job.request.review)
    return record


def from_record(record: dict[str, Any]) -> Job:
    """The job that a record describes; a field that this version does not know is left out.

    :raises ValueError, TypeError, KeyError: it describes none.
    """
    facts = {name: value for name, value in record.items() if name in _JOB_FIELDS}
    facts |= {
        "id": JobId(record["id"]),
        "request": _request(record["request"]),
        "state": State(record["state"]),
        "outcome": Outcome(record["outcome"]) if record["outcome"] else None,
        "decision": Decision(record["decision"]),
    }
    for name in ("warnings", "kept_paths", "ignored_paths"):
        facts[name] = tuple(record.get(name, ()))
    return Job(**facts)


def _request(record: dict[str, Any]) -> Request:
    facts = {name: value for name, value in record.items() if name in _REQUEST_FIELDS}
    for name in ("command", "writable", "sparse"):
        facts[name] = tuple(record.get(name, ()))
    facts["carry"] = Carry(record.get("carry", Carry.ALL))
    facts["isolation"] = Isolation(record.get("isolation", Isolation.WORKTREE))
    facts["copy"] = Copy(record["copy"]) if record.get("copy") else None
    facts["driver"] = _driver(record.get("driver"))
    facts["equipment"] = _equipment(record.get("equipment", {}))
    facts["review"] = _reviewed(record["review"]) if record.get("review") else None
    return Request(**facts)


def _equipment(record: dict[str, Any]) -> Equipment:
    facts = {name: value for name, value in record.items() if name in _EQUIPMENT_FIELDS}
    for name in ("link", "setup", "cache"):
        facts[name] = tuple(record.get(name, ()))
    return Equipment(**facts)


def _driver(record: dict[str, Any] | None) -> Driver | None:
    if record is None:
        return None
    return Driver(
        str(record["protocol"]),
        tuple(record["argv"]),
        dict(record["environment"]),
        tuple(record["writable"]),
    )


def _reviewed(record: dict[str, Any]) -> Reviewed:
    facts = {name: value for name, value in record.items() if name in _REVIEWED_FIELDS}
    facts["kind"] = ReviewKind(record["kind"])
    facts["paths"] = tuple(record.get("paths", ()))
    return Reviewed(**facts)
