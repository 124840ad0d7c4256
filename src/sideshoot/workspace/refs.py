"""The refs that hold a job's work, so that git never throws it away."""

from __future__ import annotations

NAMESPACE = "refs/sideshoot/"


def job_refs(job_id: str) -> str:
    """The beginning of all refs of a job."""
    return f"{NAMESPACE}{job_id}/"


def base_ref(job_id: str) -> str:
    """What the workspace started with."""
    return f"{job_refs(job_id)}base"


def result_ref(job_id: str) -> str:
    """What the agent left."""
    return f"{job_refs(job_id)}result"


def reviewed_ref(job_id: str, side: str) -> str:
    """What a reviewed change began at (`before`) or led to (`after`)."""
    return f"{job_refs(job_id)}{side}"


def undo_ref(job_id: str) -> str:
    """What a keep replaced."""
    return f"{job_refs(job_id)}undo"


def guard_ref(job_id: str) -> str:
    """What the user's refs named before the agent ran."""
    return f"{job_refs(job_id)}guard/before"


def exact_ref(job_id: str) -> str:
    """The bytes of files of the result that git stores as others."""
    return f"{job_refs(job_id)}exact"


def inner_ref(job_id: str, number: int) -> str:
    """A repository that the agent made inside the workspace."""
    return f"{job_refs(job_id)}inner/{number}"


def branch_ref(job_id: str) -> str:
    """The tip of the job's branch, once that branch is gone."""
    return f"{job_refs(job_id)}branch"


def borrowed_ref(job_id: str) -> str:
    """What a quarantined clone has no copy of: the user's commit that it began at."""
    return f"{job_refs(job_id)}borrowed"
