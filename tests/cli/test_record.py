"""A job as `--json` shows it."""

from __future__ import annotations

from typing import Any

import pytest

from sideshoot.cli.record import (
    change_record,
    duration_s,
    kind_of,
    next_steps,
    warnings_of,
)
from sideshoot.cli.summary import exit_status_of
from sideshoot.model import Decision, Isolation, Job, JobId, Outcome, Request, State
from sideshoot.workspace.compare import FileChange


def job(**facts: Any) -> Job:
    """A finished job with a result, unless `facts` say otherwise."""
    known = {
        "request": Request("codex", prompt="fix it"),
        "state": State.FINISHED,
        "outcome": Outcome.SUCCEEDED,
        "result": "a" * 40,
    }
    return Job(JobId("k3f9ab"), **{**known, **facts})


@pytest.mark.parametrize(
    ("found", "steps"),
    [
        (job(state=State.RUNNING, outcome=None), ["status", "logs", "cancel"]),
        (job(), ["diff", "keep", "discard"]),
        (job(decision=Decision.PARTLY_KEPT), ["diff", "keep", "undo", "discard"]),
        (job(decision=Decision.KEPT), ["diff", "undo"]),
        (job(decision=Decision.DISCARDED), ["diff", "restore"]),
        (job(continued_by="m2x7cd"), ["diff"]),
        (job(request=Request("codex", isolation=Isolation.IN_PLACE)), ["diff"]),
        (job(request=Request("codex", isolation=Isolation.READ_ONLY), result=None), []),
        (job(result=None, worktree="/w"), ["result", "discard"]),
        (job(result=None), ["result"]),
    ],
)
def test_what_makes_sense_next(found: Job, steps: list[str]) -> None:
    assert next_steps(found) == steps


def test_a_failure_is_never_hidden_by_a_message() -> None:
    found = job(message="I am done", error="exit status 3", warnings=("slow",))
    assert warnings_of(found) == ["exit status 3", "slow"]
    assert warnings_of(job(error="exit status 3")) == []


def test_a_running_job_has_worked_until_now() -> None:
    assert duration_s(job(started_at=10.0, finished_at=12.5)) == 2.5
    assert duration_s(job(started_at=10.0), now=11.0) == 1.0
    assert duration_s(job()) is None


def test_a_renamed_file_shows_both_names() -> None:
    record = change_record(FileChange(b"new\xff", "renamed", b"old\xff"))
    assert (record["path"], record["path_base64"]) == ("new\\xff", "bmV3/w==")
    assert (record["old_path"], record["old_path_base64"]) == ("old\\xff", "b2xk/w==")
    assert change_record(FileChange(b"a", "added"))["old_path"] is None


def test_kinds() -> None:
    assert kind_of(job()) == "task"
    assert kind_of(job(request=Request("command", command=("make",)))) == "command"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (None, 0),
        (Outcome.SUCCEEDED, 0),
        (Outcome.FAILED, 1),
        (Outcome.INTERRUPTED, 1),
        (Outcome.TIMED_OUT, 124),
        (Outcome.CANCELLED, 130),
    ],
)
def test_every_outcome_has_its_exit_status(outcome: Outcome | None, status: int) -> None:
    assert exit_status_of(job(outcome=outcome)) == status


def test_a_fault_of_our_own_is_told_apart_from_a_failure_of_the_agents() -> None:
    error = "a fault of Sideshoot's own (KeyError: 1); see the log"
    assert exit_status_of(job(outcome=Outcome.FAILED, error=error)) == 70
