"""Go on where an earlier job ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.base import AgentResult
from sideshoot.errors import UsageError, WrongState
from sideshoot.jobs import service
from sideshoot.jobs.claims import release
from sideshoot.jobs.create import GO_ON
from sideshoot.jobs.decide import discard_job, keep_job, restore_job, undo_job
from sideshoot.model import Decision, Isolation, Job, Outcome, State
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.steps import VARIABLE
from support.processes import await_true

if TYPE_CHECKING:
    from sideshoot.agents.base import Task
    from support.jobs import Gardener, Jobs


def keep(jobs: Jobs, job: Job, *paths: bytes) -> None:
    keep_job(jobs.repository, jobs.store, job, options=KeepOptions(paths=paths))


def made(jobs: Jobs) -> list[str]:
    return sorted(path.name for path in jobs.repo.top.glob("made*"))


def test_the_agent_goes_on_in_the_same_workspace(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id, prompt="and this")
    assert (second.worktree, second.branch, second.base, second.head) == (
        first.worktree,
        first.branch,
        first.base,
        first.head,
    )
    task = gardener.tasks[1]
    assert task.thread_id == "thread"
    assert task.prompt.endswith("\n\nand this")
    assert str(task.folder) in task.prompt
    assert second.thread_id == "thread"
    earlier = jobs.get(first)
    assert (earlier.continued_by, earlier.worktree) == (second.id, None)
    assert earlier.result == first.result
    assert jobs.content(earlier, "made2") is None


def test_a_sparse_workspace_stays_one(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1", sparse=("docs",))
    gardener.works(jobs, "made2", resume=first.id)

    told, still_told = [task.environment["GIT_CONFIG_PARAMETERS"] for task in gardener.tasks]

    assert "sparse" in told
    assert still_told == told
    assert not (gardener.tasks[1].folder / "src").exists()


def test_what_is_kept_of_the_later_job_is_the_work_of_both(
    jobs: Jobs, gardener: Gardener, worktrees: Path
) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id)
    with pytest.raises(WrongState, match=f"goes on as {second.id}"):
        keep(jobs, first)
    with pytest.raises(WrongState, match=f"goes on as {second.id}"):
        discard_job(jobs.repository, jobs.store, first)
    keep(jobs, second)
    assert made(jobs) == ["made1", "made2"]
    assert jobs.get(first).decision is Decision.KEPT
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert jobs.repo.git("branch", "--list", "sideshoot/*") == b""
    assert jobs.repo.git("worktree", "list").count(b"\n") == 1
    assert list((jobs.repository.state_dir / "workspaces").iterdir()) == []
    undo_job(jobs.repository, jobs.store, second)
    assert made(jobs) == []
    assert jobs.get(first).decision is Decision.OPEN
    assert jobs.get(second).decision is Decision.OPEN


def test_what_is_discarded_of_the_later_job_can_be_restored_with_both(
    jobs: Jobs, gardener: Gardener
) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id)
    discard_job(jobs.repository, jobs.store, second)
    assert jobs.get(first).decision is Decision.DISCARDED
    restore_job(jobs.repository, jobs.store, second)
    keep(jobs, second)
    assert made(jobs) == ["made1", "made2"]


@pytest.mark.parametrize("how", ["restored", "folder deleted"])
def test_work_whose_workspace_has_gone_is_gone_on_with_in_a_new_one(
    jobs: Jobs, gardener: Gardener, how: str
) -> None:
    def plants(task: Task, *_: object) -> AgentResult:
        git = ("git", "-C", str(task.top))
        (task.top / "made1").write_text("committed\n")
        subprocess.run([*git, "add", "made1"], check=True)
        subprocess.run([*git, "commit", "-qm", "planted"], check=True)
        (task.top / "made1").write_text("changed\n")
        (task.top / "app.py").unlink()
        (task.top / "bed").mkdir()
        return AgentResult(succeeded=True, thread_id="thread")

    gardener.turn = plants
    first = jobs.get(gardener.job(jobs))
    service.work(jobs.repository, first.id)
    first = jobs.get(first)
    assert first.worktree
    if how == "restored":
        discard_job(jobs.repository, jobs.store, first)
        restore_job(jobs.repository, jobs.store, first)
    else:
        shutil.rmtree(first.worktree)
    jobs.repo.write("mine.txt", "made since\n")

    second = gardener.works(jobs, "made2", resume=first.id)

    assert (second.base, second.head) == (first.base, first.head)
    assert second.worktree
    top = Path(second.worktree)
    assert (top / "made1").read_text() == "changed\n"
    assert not (top / "app.py").exists()
    assert (top / "bed").is_dir()
    log = subprocess.check_output(["git", "-C", top, "log", "-1", "--format=%s"])
    assert log == b"planted\n"
    assert jobs.get(first).continued_by == second.id
    keep(jobs, second)
    assert made(jobs) == ["made1", "made2"]
    assert not (jobs.repo.top / "app.py").exists()
    assert jobs.get(first).decision is Decision.KEPT
    undo_job(jobs.repository, jobs.store, second)
    assert made(jobs) == []
    assert (jobs.repo.top / "app.py").exists()


def test_a_row_of_three(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id)
    # By the first id, too: the thread is the same.
    third = gardener.works(jobs, "made3", resume=first.id)
    assert third.request.resume == second.id
    keep(jobs, third)
    assert made(jobs) == ["made1", "made2", "made3"]
    assert [jobs.get(job).decision for job in (first, second, third)] == [Decision.KEPT] * 3


def test_after_a_partial_keep_the_rest_goes_on(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    keep(jobs, first, b"made1")
    # Nothing is left of it, so that its workspace has gone.
    assert jobs.get(first).decision is Decision.KEPT
    job = gardener.works(jobs, "made2")
    assert job.worktree
    Path(job.worktree, "made3").write_text("by hand\n")
    keep(jobs, job, b"made2")
    assert jobs.get(job).decision is Decision.PARTLY_KEPT
    later = gardener.works(jobs, "made4", resume=job.id)
    assert (later.decision, later.kept_paths) == (Decision.PARTLY_KEPT, ("made2",))
    keep(jobs, later)
    assert made(jobs) == ["made1", "made2", "made3", "made4"]


@pytest.mark.parametrize("decide", ["keep", "discard"])
def test_once_it_is_decided_the_thread_goes_on_in_a_workspace_of_its_own(
    jobs: Jobs, gardener: Gardener, decide: str
) -> None:
    first = gardener.works(jobs, "made1")
    if decide == "keep":
        keep(jobs, first)
    else:
        discard_job(jobs.repository, jobs.store, first)
    jobs.repo.write("README.md", "# meanwhile\n")
    second = gardener.works(jobs, "made2", resume=first.id)
    assert second.worktree == str(jobs.repo.top / ".worktrees" / second.id)
    assert second.base != first.base
    assert jobs.content(second, "README.md") == b"# meanwhile\n"
    assert gardener.tasks[1].thread_id == "thread"
    assert jobs.get(first).continued_by is None
    # Each is decided for itself.
    keep(jobs, second)
    assert made(jobs) == {"keep": ["made1", "made2"], "discard": ["made2"]}[decide]


def test_in_place_only_the_thread_goes_on(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id, isolation=Isolation.IN_PLACE)
    assert gardener.tasks[1].thread_id == "thread"
    assert (second.worktree, jobs.get(first).worktree) == (None, first.worktree)
    assert made(jobs) == ["made2"]


def test_no_words_are_needed_to_go_on(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    gardener.works(jobs, "made2", resume=first.id, prompt="")
    assert "Go on" in gardener.tasks[1].prompt


def test_what_can_not_be_gone_on_with(jobs: Jobs, gardener: Gardener) -> None:
    with pytest.raises(UsageError, match="no thread"):
        gardener.job(jobs, resume=jobs.run().id)
    first = gardener.works(jobs, "made1")
    waiting = gardener.job(jobs, resume=first.id)
    with pytest.raises(WrongState, match=f"{waiting} is still at work"):
        gardener.job(jobs, resume=first.id)
    service.cancel(jobs.repository, waiting)
    gardener.works(jobs, "made2", resume=first.id)


def test_of_two_that_take_the_workspace_one_gets_it(jobs: Jobs, gardener: Gardener) -> None:
    first = gardener.works(jobs, "made1")
    one = gardener.job(jobs, resume=first.id)
    # As it can be when two commands look at the same moment.
    other = gardener.job(jobs)
    request = jobs.store.get(other).request
    jobs.store.update(other, request=type(request)("gardener", prompt="weed", resume=first.id))
    winner = service.work(jobs.repository, one)
    with pytest.raises(WrongState, match=f"goes on as {one}"):
        service.work(jobs.repository, other)
    assert winner.worktree == first.worktree
    assert (jobs.get(other).outcome, jobs.get(other).worktree) == (Outcome.FAILED, None)
    assert jobs.get(first).continued_by == one


def test_a_job_that_fails_at_once_still_has_the_work_of_both(
    jobs: Jobs, gardener: Gardener
) -> None:
    first = gardener.works(jobs, "made1")

    def turn(*_: object) -> None:
        raise RuntimeError("broken")

    gardener.turn = turn  # type: ignore[assignment]
    second = service.work(jobs.repository, gardener.job(jobs, resume=first.id))
    assert second.outcome is Outcome.FAILED
    keep(jobs, second)
    assert made(jobs) == ["made1"]


WORK = """
import sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.jobs import service
service.work(discover(Path(sys.argv[1])), sys.argv[2])
"""


def killed_at(jobs: Jobs, step: str, first: Job) -> Job:
    """A job that goes on with `first`, of which the worker was killed at a step of its work."""
    second = jobs.create("echo x > made2")
    release(jobs.folder(second))
    request = second.request
    jobs.store.update(
        second.id, request=type(request)("command", command=request.command, resume=first.id)
    )
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(jobs.repo.top), second.id],
        env={**os.environ, VARIABLE: step},
        timeout=100,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    service.recover(jobs.repository)
    return jobs.get(second)


@pytest.mark.parametrize("step", ["run.agent-done", "run.captured"])
def test_a_worker_that_dies_after_it_took_the_workspace(
    jobs: Jobs, gardener: Gardener, step: str
) -> None:
    first = gardener.works(jobs, "made1")
    now = killed_at(jobs, step, first)
    assert (now.state, now.outcome, now.worktree) == (
        State.FINISHED,
        Outcome.INTERRUPTED,
        first.worktree,
    )
    keep(jobs, now)
    assert made(jobs) == ["made1", "made2"]


@pytest.mark.parametrize("step", ["run.guarded", "keep.journalled", "keep.swapped"])
def test_a_worker_that_dies_before_it_has_the_work_in_a_new_workspace(
    jobs: Jobs, gardener: Gardener, worktrees: Path, step: str
) -> None:
    first = gardener.works(jobs, "made1")
    discard_job(jobs.repository, jobs.store, first)
    restore_job(jobs.repository, jobs.store, first)

    now = killed_at(jobs, step, first)

    assert (now.state, now.outcome) == (State.FINISHED, Outcome.INTERRUPTED)
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert jobs.get(first).continued_by is None
    assert made(jobs) == []
    keep(jobs, first)
    assert made(jobs) == ["made1"]


def test_a_thread_that_no_job_has_begun_is_gone_on_with(jobs: Jobs, gardener: Gardener) -> None:
    job = gardener.works(jobs, "made1", thread="from elsewhere", prompt="")

    task = gardener.tasks[0]
    assert task.thread_id == "from elsewhere"
    assert task.prompt.endswith(GO_ON)
    assert gardener.works(jobs, "made2", resume=job.id)
    assert gardener.tasks[1].thread_id == job.thread_id


def test_a_command_has_no_thread(jobs: Jobs) -> None:
    with pytest.raises(UsageError, match="no threads"):
        jobs.create("true", thread="from elsewhere")
