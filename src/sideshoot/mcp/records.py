"""What tools answer with: the objects that the commands print with `--json`, in a size for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.mcp.schemas import Schema

MOST_FILES = 200
"""So many files are listed; hosts refuse to show an answer of many tens of kilobytes at all."""

LONGEST_TEXT = 60_000
"""Characters of a patch or of a message; a resource has the whole."""


def record(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """An object that has at least these members."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    return {**schema, "required": list(required)} if required else schema


def bounded(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its list of files cut to what can be read; `files_left_out` counts the rest."""
    files = answer.get("files")
    if not isinstance(files, list) or len(files) <= MOST_FILES:
        return dict(answer)
    left_out = len(files) - MOST_FILES
    return {**answer, "files": files[:MOST_FILES], "files_left_out": left_out}


_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer"}
_FILES: Schema = {"type": "array", "items": {"type": "object"}}

_SUMMARY: dict[str, Schema] = {
    "job_id": _TEXT,
    "kind": _TEXT,
    "agent": _TEXT,
    "model": _MAYBE,
    "state": {"type": "string", "enum": ["queued", "running", "finished"]},
    "outcome": {
        "type": ["string", "null"],
        "description": "succeeded, failed, timed_out, cancelled or interrupted",
    },
    "decision": {"type": "string", "description": "open, kept, partly kept or discarded"},
}

_CHANGES: dict[str, Schema] = {"files": _FILES, "insertions": _COUNT, "deletions": _COUNT}

JOB = record(
    {
        **_SUMMARY,
        "message": {"type": ["string", "null"], "description": "The agent's last, word for word."},
        **_CHANGES,
        "review": {"type": ["object", "null"], "description": "Of a review: what it found."},
        "warnings": {"type": "array", "items": _TEXT},
        "actions": {"type": "object", "description": "Commands for a shell that make sense now."},
    },
    ("job_id", "state", "outcome", "decision"),
)
"""`sideshoot run --json`, and `result --json`."""

JOBS = record(
    {
        "jobs": {"type": "array", "items": record(_SUMMARY)},
        "wait_timed_out": {"type": "boolean"},
    },
    ("jobs",),
)
"""`sideshoot wait --json`."""

LONG_JOB = record({"jobs": {"type": "array"}, **_SUMMARY})
"""`sideshoot status --json`: a list of jobs, or all about one."""

LOG = record(
    {
        "job_id": _TEXT,
        "events": {"type": "array", "items": {"type": "object"}},
        "left_out": {"type": "integer", "description": "Earlier events that are not listed."},
    },
    ("job_id", "events"),
)

DIFF = record(
    {
        "job_id": _TEXT,
        **_CHANGES,
        "patch": {"type": "string", "description": "As `git apply` reads it, if it is whole."},
        "patch_is_whole": {"type": "boolean"},
    },
    ("job_id", "files"),
)
