"""Diffs and logs of jobs as resources: `sideshoot://JOB/diff?folder=DIR` and `…/log`.

The folder is where the job's repository is; without it, the one that the client works in is meant.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from sideshoot.errors import SideshootError
from sideshoot.mcp.protocol import RESOURCE_NOT_FOUND, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sideshoot.cli.place import Place
    from sideshoot.mcp.exchange import Exchange
    from sideshoot.model import Job

SCHEME = "sideshoot"

DIFF, LOG = "diff", "log"

_KINDS = {DIFF: ("text/x-diff", "what it changed"), LOG: ("application/x-ndjson", "what happened")}

LARGEST_LOG = 32 * 1024**2
"""Bytes of a log that a resource holds: the last ones."""

TEMPLATES = [
    {
        "uriTemplate": f"{SCHEME}://{{job}}/{kind}{{?folder}}",
        "name": f"job-{kind}",
        "title": f"{kind.capitalize()} of a job",
        "description": f"Of a job of Sideshoot's: {what}. `folder` is a folder of its repository.",
        "mimeType": mime,
    }
    for kind, (mime, what) in _KINDS.items()
]


def links_of(place: Place, job: Job) -> list[dict[str, Any]]:
    """The resources of a job that there are."""
    return [_link(place, job, kind) for kind in _kinds_of(job)]


def listed(exchange: Exchange) -> list[dict[str, Any]]:
    """The resources of the jobs that run, and of the latest that do not."""
    from sideshoot.cli.status import recent_jobs  # noqa: PLC0415 - not to list tools
    from sideshoot.mcp.places import place_of  # noqa: PLC0415

    try:
        place = place_of(exchange, {}, only_to_look=True)
        jobs = recent_jobs(place)
    except SideshootError:
        return []  # a client that asks at its start need not be in a repository
    return [link for job in jobs for link in links_of(place, job)]


def contents(exchange: Exchange, uri: Any) -> list[dict[str, Any]]:
    """What a resource holds.

    :raises Refused: there is none of this name.
    """
    from sideshoot.mcp.places import place_of  # noqa: PLC0415 - not to list tools

    reference, kind, given = _parts(uri)
    try:
        place = place_of(exchange, given)
        job = place.find(reference)
        data = _diff_of(place, job) if kind == DIFF else _log_of(place, job)
    except SideshootError as error:
        raise Refused(RESOURCE_NOT_FOUND, str(error), {"uri": uri}) from None
    return [{"uri": uri, "mimeType": _KINDS[kind][0], **_body(data)}]


def _kinds_of(job: Job) -> Iterator[str]:
    if (job.result and job.base) or job.request.review:
        yield DIFF
    yield LOG


def _link(place: Place, job: Job, kind: str) -> dict[str, Any]:
    mime, what = _KINDS[kind]
    folder = quote(str(place.repository.top).encode("utf-8", "surrogateescape"), safe="")
    return {
        "uri": f"{SCHEME}://{job.id}/{kind}?folder={folder}",
        "name": f"{job.id}-{kind}",
        "title": f"{kind.capitalize()} of job {job.id}",
        "description": f"{what}: {job.title[:100]}",
        "mimeType": mime,
    }


def _parts(uri: Any) -> tuple[str, str, Mapping[str, str]]:
    try:
        parts = urlsplit(uri if isinstance(uri, str) else "")
        query = parse_qs(parts.query, errors="surrogateescape")
    except ValueError:
        raise _no_resource(uri) from None
    kind = parts.path.removeprefix("/")
    if parts.scheme != SCHEME or kind not in _KINDS or not parts.netloc:
        raise _no_resource(uri)
    return parts.netloc, kind, {name: values[0] for name, values in query.items()}


def _no_resource(uri: Any) -> Refused:
    return Refused(RESOURCE_NOT_FOUND, "there is no such resource", {"uri": uri})


def _diff_of(place: Place, job: Job) -> bytes:
    from sideshoot.cli.diff import compared, reviewed_paths  # noqa: PLC0415 - not to list tools
    from sideshoot.mcp.patches import patch_bytes  # noqa: PLC0415

    job = compared(job)
    return patch_bytes(place.seeing(job), job, reviewed_paths(job))


def _log_of(place: Place, job: Job) -> bytes:
    try:
        with place.log_of(job).open("rb") as file:
            size = file.seek(0, 2)
            start = max(size - LARGEST_LOG, 0)
            file.seek(start)
            data = file.read(LARGEST_LOG)
    except FileNotFoundError:
        return b""
    return data[data.find(b"\n") + 1 :] if start else data


def _body(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"blob": base64.b64encode(data).decode("ascii")}
