"""What is decided about a job, and by whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import (
    CaptureFailed,
    KeepConflict,
    SideshootError,
    UsageError,
    WrongState,
)
from sideshoot.jobs import service
from sideshoot.jobs.decide import branch_job, discard_job, keep_job, restore_job, undo_job
from sideshoot.model import Decision, Isolation, Job
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.steps import VARIABLE
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.workspace.keep import Kept
    from support.jobs import Jobs

TWO = "echo x > made; echo more >> app.py"


def keep(jobs: Jobs, job: Job, *paths: bytes, ignored: tuple[bytes, ...] = (), **how: bool) -> Kept:
    options = KeepOptions(paths=paths, **how)  # type: ignore[arg-type]
    return keep_job(jobs.repository, jobs.store, job, options=options, ignored=ignored)


def undo(jobs: Jobs, job: Job) -> None:
    undo_job(jobs.repository, jobs.store, job)


def discard(jobs: Jobs, job: Job) -> Job:
    return discard_job(jobs.repository, jobs.store, job)


def restore(jobs: Jobs, job: Job) -> Job:
    return restore_job(jobs.repository, jobs.store, job)


def status(jobs: Jobs) -> bytes:
    return jobs.repo.git("status", "--short")


def work_on(job: Job) -> None:
    """Do something in the workspace of a job that has ended."""
    assert job.worktree is not None
    Path(job.worktree, "by-hand").touch()


def is_opened(job: Job) -> bool:
    return job.worktree is not None and Path(job.worktree).is_dir()


# -- keep


def test_a_whole_keep_ends_the_workspace(jobs: Jobs, worktrees: Path) -> None:
    job = jobs.run(TWO)
    kept = keep(jobs, job)
    assert {change.path for change in kept.changed} == {b"made", b"app.py"}
    assert status(jobs) == b"M  app.py\nA  made\n"
    job = jobs.get(job)
    assert (job.decision, job.worktree, job.git_dir, job.branch) == (
        Decision.KEPT,
        None,
        None,
        None,
    )
    assert job.decided_at
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert jobs.repo.git("worktree", "list").count(b"\n") == 1
    assert jobs.content(job, "made") == b"x\n"


def test_a_dry_run_decides_nothing(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, dry_run=True)
    assert status(jobs) == b""
    assert jobs.get(job) == job


def test_parts_are_kept_until_all_is(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, b"made")
    job = jobs.get(job)
    assert (job.decision, job.kept_paths) == (Decision.PARTLY_KEPT, ("made",))
    assert is_opened(job)
    assert status(jobs) == b"A  made\n"
    keep(jobs, job, b"app.py")
    job = jobs.get(job)
    assert (job.decision, job.kept_paths) == (Decision.KEPT, ("app.py", "made"))
    assert not is_opened(job)


def test_the_rest_of_a_partly_kept_job(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, b"made")
    keep(jobs, job)
    assert jobs.get(job).decision is Decision.KEPT
    assert status(jobs) == b"M  app.py\nA  made\n"


def test_a_job_is_kept_once(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job)
    with pytest.raises(WrongState, match="kept already; nothing was changed"):
        keep(jobs, job)


def test_a_conflict_decides_nothing(jobs: Jobs) -> None:
    job = jobs.run("echo agent > README.md")
    (jobs.repo.top / "README.md").write_text("user\n")
    with pytest.raises(KeepConflict):
        keep(jobs, job)
    assert jobs.get(job) == job
    assert (jobs.repo.top / "README.md").read_text() == "user\n"
    assert service.recover(jobs.repository) == []


def test_work_done_in_the_workspace_afterwards_is_kept_as_well(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    assert job.worktree
    Path(job.worktree, "later").write_text("by hand\n")
    kept = keep(jobs, job)
    assert b"later" in {change.path for change in kept.changed}
    assert any("changed since" in warning for warning in kept.warnings)
    assert (jobs.repo.top / "later").read_text() == "by hand\n"


def test_a_workspace_that_is_gone_is_no_hindrance(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    subprocess.run(["rm", "-rf", str(job.worktree)], check=True, timeout=60)
    kept = keep(jobs, job)
    assert any("gone" in warning for warning in kept.warnings)
    assert status(jobs) == b"M  app.py\nA  made\n"
    assert jobs.repo.git("worktree", "list").count(b"\n") == 1


def test_a_workspace_that_can_not_be_saved_again_stays(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.run(TWO)

    def fails(*_: object) -> None:
        raise CaptureFailed("can't be read")

    monkeypatch.setattr("sideshoot.workspace.capture.capture", fails)
    work_on(job)
    kept = keep(jobs, job)
    assert any("stays" in warning for warning in kept.warnings)
    assert is_opened(jobs.get(job))
    other = jobs.run(TWO)
    work_on(other)
    with pytest.raises(CaptureFailed):
        discard(jobs, other)


def test_a_workspace_that_is_as_it_was_is_not_captured_again(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is as young as the capture, which would have to be looked at again.
    job = jobs.run(f"{TWO}; sleep 0.1")
    monkeypatch.setattr("sideshoot.workspace.capture.capture", None)
    assert len(keep(jobs, job).changed) == 2
    assert status(jobs) == b"M  app.py\nA  made\n"


def test_a_conflict_that_was_settled_in_the_workspace_is_none_any_more(jobs: Jobs) -> None:
    job = jobs.run("echo theirs > app.py; sleep 0.1")
    jobs.repo.write("app.py", "ours\n")
    with pytest.raises(KeepConflict):
        keep(jobs, job)
    assert job.worktree is not None
    Path(job.worktree, "app.py").write_text("ours\n")
    assert keep(jobs, job).changed == ()
    assert jobs.get(job).decision is Decision.KEPT


def test_ignored_outputs_come_when_asked_for(jobs: Jobs) -> None:
    job = jobs.run("mkdir build; echo out > build/a; echo x > made; echo l > b.log")
    kept = keep(jobs, job, ignored=(b"build",))
    assert kept.extras == (b"build",)
    assert (jobs.repo.top / "build" / "a").read_text() == "out\n"
    assert not (jobs.repo.top / "b.log").exists()
    undo(jobs, job)
    assert not (jobs.repo.top / "build").exists()


def test_a_job_whose_capture_failed_can_be_kept_later(jobs: Jobs) -> None:
    scratch = jobs.repository.state_dir / "tmp"
    job = jobs.run(f"{TWO}; rm -rf '{scratch}'; touch '{scratch}'")
    assert job.result is None
    scratch.unlink()
    keep(jobs, job)
    assert status(jobs) == b"M  app.py\nA  made\n"


# -- undo


def test_undo_opens_the_decision_again(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job)
    undo(jobs, job)
    assert status(jobs) == b""
    assert jobs.get(job).decision is Decision.OPEN
    keep(jobs, job)
    assert status(jobs) == b"M  app.py\nA  made\n"


def test_undo_takes_back_one_keep_after_the_other(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, b"made")
    keep(jobs, job, b"app.py")
    undo(jobs, job)
    now = jobs.get(job)
    assert (now.decision, now.kept_paths) == (Decision.PARTLY_KEPT, ("made",))
    assert status(jobs) == b"A  made\n"
    undo(jobs, job)
    now = jobs.get(job)
    assert (now.decision, now.kept_paths) == (Decision.OPEN, ())
    assert status(jobs) == b""
    with pytest.raises(WrongState, match="nothing to undo"):
        undo(jobs, job)


def test_undo_of_a_keep_that_changed_nothing(jobs: Jobs) -> None:
    job = jobs.run("true")
    keep(jobs, job)
    undo(jobs, job)
    assert jobs.get(job).decision is Decision.OPEN


def test_undo_of_a_part_whose_rest_was_discarded(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, b"made")
    assert discard(jobs, job).decision is Decision.DISCARDED
    undo(jobs, job)
    now = jobs.get(job)
    assert (now.decision, now.kept_paths) == (Decision.DISCARDED, ())
    assert status(jobs) == b""


# -- discard and restore


def test_discard_ends_the_workspace_and_restore_brings_the_work_back(
    jobs: Jobs, worktrees: Path
) -> None:
    job = jobs.run(TWO)
    assert job.worktree
    Path(job.worktree, "later").write_text("by hand\n")
    job = discard(jobs, job)
    assert (job.decision, job.worktree) == (Decision.DISCARDED, None)
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    with pytest.raises(WrongState, match="sideshoot restore"):
        keep(jobs, job)
    with pytest.raises(WrongState, match="discarded already"):
        discard(jobs, job)
    assert restore(jobs, job).decision is Decision.OPEN
    keep(jobs, job)
    assert (jobs.repo.top / "later").read_text() == "by hand\n"


def test_a_partly_kept_job_is_restored_as_such(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    keep(jobs, job, b"made")
    discard(jobs, job)
    assert restore(jobs, job).decision is Decision.PARTLY_KEPT


def test_what_can_not_be_discarded_or_restored(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    with pytest.raises(WrongState, match="not discarded"):
        restore(jobs, job)
    keep(jobs, job)
    with pytest.raises(WrongState, match="sideshoot undo"):
        discard(jobs, job)


def test_what_is_no_longer_held_can_not_be_restored(jobs: Jobs) -> None:
    job = discard(jobs, jobs.run(TWO))
    jobs.repo.git("update-ref", "-d", f"refs/sideshoot/{job.id}/result")
    with pytest.raises(WrongState, match="no longer held"):
        restore(jobs, job)


def test_a_job_without_a_workspace_can_be_discarded(jobs: Jobs) -> None:
    job = jobs.create()
    service.cancel(jobs.repository, job.id)
    assert discard(jobs, job).decision is Decision.DISCARDED
    with pytest.raises(WrongState, match="left nothing"):
        restore(jobs, job)


@pytest.mark.parametrize("decide", [keep, undo, discard, restore])
def test_nothing_is_decided_while_a_job_runs(
    jobs: Jobs, decide: Callable[[Jobs, Job], object]
) -> None:
    job, _ = jobs.hang()
    with pytest.raises(WrongState, match="is running"):
        decide(jobs, job)


def test_work_in_the_users_own_tree_is_not_decided_on(jobs: Jobs) -> None:
    job = jobs.run("echo x > made", isolation=Isolation.IN_PLACE)
    for decide in (keep, undo):
        with pytest.raises(WrongState, match="your own tree"):
            decide(jobs, job)


# -- branch


def test_a_branch_holds_the_agents_change_alone(jobs: Jobs) -> None:
    jobs.repo.write("README.md", "# mine\n")
    job = jobs.run(TWO)
    commit = branch_job(jobs.repository, jobs.store, job, "tried/it")
    assert jobs.repo.text("rev-parse", "refs/heads/tried/it") == commit
    assert jobs.repo.text("rev-parse", "tried/it^") == jobs.repo.head()
    changed = jobs.repo.text("diff", "--name-only", "HEAD", "tried/it")
    assert changed.split() == ["app.py", "made"]
    assert "Gardener" in jobs.repo.text("log", "-1", "--format=%an", "tried/it")
    assert status(jobs) == b" M README.md\n"
    assert jobs.get(job) == job


def test_a_branch_has_what_the_change_is_built_on(jobs: Jobs) -> None:
    jobs.repo.write("README.md", "# mine\n")
    job = jobs.run("echo agent >> README.md; sed -i s/mine/theirs/ README.md")
    branch_job(jobs.repository, jobs.store, job, "tried")
    assert jobs.repo.text("show", "tried:README.md") == "# theirs\nagent"
    assert jobs.repo.text("show", "tried^:README.md") == "# mine"
    assert jobs.repo.text("rev-parse", "tried~2") == jobs.repo.head()


def test_a_branch_has_the_agents_own_commits(jobs: Jobs) -> None:
    commit = "git add -A; git commit -qm mine"
    job = jobs.run(f"{TWO}; {commit}")
    assert branch_job(jobs.repository, jobs.store, job, "all-committed")
    assert jobs.repo.text("log", "--format=%s", "HEAD..all-committed") == "mine"
    job = jobs.run(f"{TWO}; {commit}; echo y > later", name="a name")
    assert branch_job(jobs.repository, jobs.store, job, "some-committed")
    assert jobs.repo.text("log", "--format=%s", "HEAD..some-committed") == "a name\nmine"


@pytest.mark.parametrize("name", ["main", "a..b", "-x", "main/below", ""])
def test_a_branch_that_can_not_be(jobs: Jobs, name: str) -> None:
    job = jobs.run(TWO)
    with pytest.raises(UsageError):
        branch_job(jobs.repository, jobs.store, job, name)


def test_a_branch_in_a_repository_without_commits(jobs: Jobs) -> None:
    jobs.repo.git("update-ref", "-d", "HEAD")
    job = jobs.run("echo x > made")
    branch_job(jobs.repository, jobs.store, job, "first")
    assert jobs.repo.text("show", "first:made") == "x"


# -- at once


def at_once(*calls: Callable[[], object]) -> list[object]:
    ended: list[object] = []

    def run(call: Callable[[], object]) -> None:
        try:
            ended.append(call())
        except SideshootError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ended


def test_of_two_keeps_one_wins(jobs: Jobs) -> None:
    job = jobs.run(TWO)
    ended = at_once(lambda: keep(jobs, job), lambda: keep(jobs, job))
    assert sorted(type(end).__name__ for end in ended) == ["Kept", "WrongState"]
    assert status(jobs) == b"M  app.py\nA  made\n"


def test_of_a_keep_and_a_discard_one_wins(jobs: Jobs) -> None:
    for _ in range(3):
        job = jobs.run("echo $SIDESHOOT_JOB > $SIDESHOOT_JOB")
        ended = at_once(lambda job=job: keep(jobs, job), lambda job=job: discard(jobs, job))  # type: ignore[misc]
        assert len([end for end in ended if isinstance(end, WrongState)]) == 1
        is_kept = jobs.get(job).decision is Decision.KEPT
        assert (jobs.repo.top / job.id).exists() == is_kept


# -- cut off

DECIDE = """
import sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.jobs import decide
from sideshoot.jobs.store import Store
from sideshoot.workspace.keep_options import KeepOptions
repository = discover(Path(sys.argv[1]))
store = Store.open(repository.state_dir)
job = store.get(sys.argv[2])
if sys.argv[3] == "keep":
    paths = tuple(map(str.encode, sys.argv[4:]))
    decide.keep_job(repository, store, job, options=KeepOptions(paths=paths))
else:
    getattr(decide, f"{sys.argv[3]}_job")(repository, store, job)
"""


def crash(jobs: Jobs, job: Job, step: str, *what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DECIDE, str(jobs.repo.top), job.id, *what],
        env={**os.environ, VARIABLE: step},
        timeout=100,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


BEFORE = ("keep.prepared", "keep.journalled", "keep.swapping")
AFTER = ("keep.swapped", "keep.indexed", "keep.settled", "keep.decided")


@pytest.mark.parametrize("step", [*BEFORE, *AFTER])
def test_a_keep_that_is_cut_off_is_done_or_not(jobs: Jobs, step: str, worktrees: Path) -> None:
    job = jobs.run(TWO)
    crash(jobs, job, step, "keep")
    service.recover(jobs.repository)
    now = jobs.get(job)
    if step in BEFORE:
        assert (now.decision, status(jobs)) == (Decision.OPEN, b"")
        assert is_opened(now)
        keep(jobs, now)
    assert status(jobs) == b"M  app.py\nA  made\n"
    now = jobs.get(job)
    assert (now.decision, now.worktree) == (Decision.KEPT, None)
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert service.recover(jobs.repository) == []
    undo(jobs, now)
    assert status(jobs) == b""


@pytest.mark.parametrize("step", ["keep.swapping", "keep.settled"])
def test_a_partial_keep_that_is_cut_off(jobs: Jobs, step: str) -> None:
    job = jobs.run(TWO)
    crash(jobs, job, step, "keep", "made")
    service.recover(jobs.repository)
    now = jobs.get(job)
    if step in BEFORE:
        assert (now.decision, now.kept_paths, status(jobs)) == (Decision.OPEN, (), b"")
    else:
        assert (now.decision, now.kept_paths) == (Decision.PARTLY_KEPT, ("made",))
        assert status(jobs) == b"A  made\n"


@pytest.mark.parametrize("step", [*BEFORE, "keep.swapped", "keep.settled"])
def test_an_undo_that_is_cut_off_is_done_or_not(jobs: Jobs, step: str) -> None:
    job = jobs.run(TWO)
    keep(jobs, job)
    crash(jobs, job, step, "undo")
    service.recover(jobs.repository)
    if step in BEFORE:
        assert jobs.get(job).decision is Decision.KEPT
        undo(jobs, job)
    assert jobs.get(job).decision is Decision.OPEN
    assert status(jobs) == b""


@pytest.mark.parametrize("step", ["discard.decided", "discard.renamed", "discard.unregistered"])
def test_a_discard_that_is_cut_off_is_finished(jobs: Jobs, step: str, worktrees: Path) -> None:
    job = jobs.run(TWO)
    crash(jobs, job, step, "discard")
    service.recover(jobs.repository)
    now = jobs.get(job)
    assert (now.decision, now.worktree) == (Decision.DISCARDED, None)
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert jobs.repo.git("worktree", "list").count(b"\n") == 1
    assert jobs.repo.git("branch", "--list", "sideshoot/*") == b""
    assert restore(jobs, now).decision is Decision.OPEN
    keep(jobs, now)
    assert status(jobs) == b"M  app.py\nA  made\n"
