"""A job as `--json` shows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sideshoot.cli.actions import command_from_anywhere
from sideshoot.model import Decision, Isolation, Job, Outcome, State
from sideshoot.text import path_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.place import Place
    from sideshoot.workspace.compare import FileChange


def job_record(place: Place, job: Job, changes: Sequence[FileChange]) -> dict[str, Any]:
    """All that is known of a job; `changes` is what its result changed."""
    return {
        **job_summary(job),
        "exit_code": job.exit_code,
        "message": job.message or job.error,
        "thread_id": job.thread_id,
        "worktree": job.worktree,
        "branch": job.branch,
        "base": job.base,
        "result": job.result,
        "files": [change_record(change) for change in changes],
        "insertions": sum(change.insertions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "ignored": {"count": job.ignored_count, "paths": list(job.ignored_paths)},
        "from_review": job.request.from_review,
        "review": _review(place, job),
        "warnings": warnings_of(job),
        "usage": job.usage,
        "duration_s": duration_s(job),
        "log": str(place.log_of(job)),
        "actions": actions_of(job),
    }


def _review(place: Place, job: Job) -> dict[str, Any] | None:
    if job.request.review is None:
        return None
    from sideshoot.cli.reviewed import review_record  # noqa: PLC0415 - only of a review

    return review_record(place, job)


def job_summary(job: Job) -> dict[str, Any]:
    """What a list of jobs shows of each."""
    return {
        "job_id": job.id,
        "kind": kind_of(job),
        "agent": job.request.agent,
        "model": job.request.model,
        "state": job.state.value,
        "outcome": job.outcome.value if job.outcome else None,
        "decision": job.decision.value,
    }


def kind_of(job: Job) -> str:
    """`command`, `task`, `review` or `adversarial-review`."""
    if job.request.review:
        return job.request.review.kind.value
    return "command" if job.request.command else "task"


def change_record(change: FileChange) -> dict[str, Any]:
    """One changed file."""
    old = path_fields(change.old_path, "old_path") if change.old_path else {"old_path": None}
    return {
        **path_fields(change.path),
        "status": change.status,
        **old,
        "insertions": change.insertions,
        "deletions": change.deletions,
        "binary": change.binary,
    }


def warnings_of(job: Job) -> list[str]:
    """The job's warnings; the reason of a failure is among them where a message hides it."""
    reason = [job.error] if job.error and job.message else []
    return [*reason, *job.warnings]


def duration_s(job: Job, now: float | None = None) -> float | None:
    """How long the job has worked, in seconds; `None` before it began."""
    if job.started_at is None:
        return None
    end = job.finished_at if job.finished_at is not None else (now or time.time())
    return round(max(end - job.started_at, 0.0), 3)


def actions_of(job: Job) -> dict[str, str]:
    """The commands that make sense now, by name; each works when pasted anywhere."""
    actions = {name: command_from_anywhere(job.target, name, job.id) for name in next_steps(job)}
    if job.request.review and job.outcome is Outcome.SUCCEEDED:
        actions["mend"] = command_from_anywhere(job.target, "run", "--from-review", job.id)
    return actions


def next_steps(job: Job) -> list[str]:
    """The names of the commands that make sense for a job as it is now."""
    if job.state is not State.FINISHED:
        return ["status", "logs", "cancel"]
    if job.request.review:
        return ["result", "diff"]
    if job.continued_by is not None or job.request.isolation is not Isolation.WORKTREE:
        # It is decided together with the later job; in the user's own tree nothing is decided.
        return ["diff"] if job.result else []
    if not job.result:
        return ["result", "discard"] if job.worktree else ["result"]
    return {
        Decision.OPEN: ["diff", "keep", "discard"],
        Decision.PARTLY_KEPT: ["diff", "keep", "undo", "discard"],
        Decision.KEPT: ["diff", "undo"],
        Decision.DISCARDED: ["diff", "restore"],
    }[job.decision]
