"""What a worker that died leaves, and what the next command makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from sideshoot.jobs import events, identity, service
from sideshoot.jobs.rebuild import rebuild
from sideshoot.model import Decision, Isolation, Outcome, State
from sideshoot.workspace.steps import VARIABLE
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.model import Job
    from support.jobs import Jobs

WORK = """
import sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.jobs import service
from sideshoot.model import Isolation, Request
repository = discover(Path(sys.argv[1]))
request = Request("command", command=("sh", "-c", sys.argv[2]))
if sys.argv[3:] == ["look"]:
    request = Request("command", command=request.command, base="HEAD", isolation=Isolation.READ_ONLY)
job = service.create(repository, request)
service.work(repository, job.id)
"""


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def crash(jobs: Jobs, step: str, script: str = "echo x > made", *kind: str) -> Job:
    """A job whose worker died at a step."""
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(jobs.repo.top), script, *kind],
        env={**os.environ, VARIABLE: step},
        timeout=100,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    (job,) = jobs.store.list()
    assert job.state is not State.FINISHED or job.worktree is not None
    return job


def test_where_nothing_is_wrong_nothing_is_done(jobs: Jobs) -> None:
    jobs.run()
    assert service.recover(jobs.repository) == []


def test_without_any_job_nothing_is_made(repo: object, jobs: Jobs) -> None:
    jobs.store.close()
    for path in jobs.repository.state_dir.iterdir():
        path.unlink()
    jobs.repository.state_dir.rmdir()
    assert service.recover(jobs.repository) == []
    assert not jobs.repository.state_dir.exists()


def test_looking_at_a_repository_without_trouble_runs_no_git(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run()
    monkeypatch.setenv("PATH", "/nowhere")
    assert service.recover(jobs.repository) == []


@pytest.mark.parametrize("victims", ["worker", "both", "agent"])
def test_kill_in_the_middle_of_a_turn(jobs: Jobs, victims: str) -> None:
    sleep = long_sleep()
    job, other = jobs.hang(f"echo x > made; setsid {sleep} & true")
    agent = psutil.Process(job.worker_pid).children()
    if victims != "agent":
        kill(job.worker_pid)
    if victims != "worker":
        for process in agent:
            process.kill()
    if victims == "agent":
        job = jobs.wait(job)
        assert job.outcome is Outcome.FAILED
        assert job.error
    else:
        jobs.await_death(job)
        (note,) = service.recover(jobs.repository)
        assert job.id in note
        job = jobs.get(job)
        assert (job.state, job.outcome) == (State.FINISHED, Outcome.INTERRUPTED)
        assert job.error == "its worker died while it ran"
        assert list(events.read(jobs.folder(job).events))[-1].kind == "finished"
    assert job.decision is Decision.OPEN
    assert jobs.content(job, "made") == b"x\n"
    assert running(sleep) == []
    assert running(other) == []
    assert service.recover(jobs.repository) == []
    assert not jobs.folder(job).control.exists()


def test_two_commands_that_recover_at_once_do_it_once(jobs: Jobs) -> None:
    job, _ = jobs.hang("echo x > made")
    kill(job.worker_pid)
    jobs.await_death(job)
    seen: list[tuple[list[str], State]] = []

    def look() -> None:
        notes = service.recover(jobs.repository)
        seen.append((notes, jobs.get(job).state))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [state for _, state in seen] == [State.FINISHED] * 4
    assert sum(len(notes) for notes, _ in seen) == 1
    finished = [e for e in events.read(jobs.folder(job).events) if e.kind == "finished"]
    assert len(finished) == 1


@pytest.mark.parametrize(
    "step",
    ["run.base", "run.planned", "run.guarded", "open.registered", "open.filled", "run.opened"],
)
def test_a_worker_that_died_before_the_agent_began(jobs: Jobs, worktrees: Path, step: str) -> None:
    (jobs.repo.top / "mine").write_text("mine")
    before = jobs.repo.git("status", "--short")
    job = crash(jobs, step)
    (note,) = service.recover(jobs.repository)
    assert "its worker died" in note
    job = jobs.get(job)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.INTERRUPTED)
    if step == "run.opened":
        assert jobs.content(job, "mine") == b"mine"
    else:
        assert (job.worktree, job.result) == (None, None)
        await_true(lambda: not worktrees.exists(), "the removal of the folder")
        assert jobs.repo.git("worktree", "list").count(b"\n") == 1
        assert jobs.repo.git("branch", "--list", "sideshoot/*") == b""
    assert jobs.repo.git("status", "--short") == before


@pytest.mark.parametrize("step", ["run.agent-done", "run.captured"])
def test_a_worker_that_died_after_the_agent_was_done(jobs: Jobs, step: str) -> None:
    job = crash(jobs, step, "echo x > made; git branch stray")
    service.recover(jobs.repository)
    job = jobs.get(job)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.INTERRUPTED)
    assert jobs.content(job, "made") == b"x\n"
    assert any("stray" in warning for warning in job.warnings)


def test_a_launcher_that_died_leaves_a_job_that_says_so(jobs: Jobs) -> None:
    job = crash(jobs, "run.recorded")
    assert job.state is State.QUEUED
    service.recover(jobs.repository)
    job = jobs.get(job)
    assert (job.state, job.outcome) == (State.FINISHED, Outcome.INTERRUPTED)
    assert job.error == "its worker ended before it began"


def test_a_worker_that_can_not_begin_says_why(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.create()
    top = jobs.repo.top
    moved = top.rename(tmp_path / "moved")
    repository = jobs.repository.__class__(
        top=top,
        git_dir=moved / ".git",
        common_dir=moved / ".git",
        object_format=jobs.repository.object_format,
    )
    from sideshoot.jobs.claims import release
    from sideshoot.jobs.folder import JobFolder

    release(jobs.folder(job))
    service.launch(repository, job.id)
    (job,) = service.wait(repository, [job.id], timeout_s=60)
    assert job.outcome is Outcome.INTERRUPTED
    assert "there is no folder" in (job.error or "")
    assert JobFolder(repository.state_dir, job.id).worker_log.read_text()
    moved.rename(top)


def test_after_a_restart_of_the_machine(jobs: Jobs) -> None:
    job, sleep = jobs.hang("echo x > made")
    kill(job.worker_pid)
    jobs.await_death(job)
    jobs.store.update(job.id, boot_id="another run of the machine")
    service.recover(jobs.repository)
    job = jobs.get(job)
    assert job.error == "the machine was restarted while it ran"
    assert job.outcome is Outcome.INTERRUPTED
    assert jobs.content(job, "made") == b"x\n"
    assert running(sleep) == []


def test_a_pid_that_another_process_has_now_saves_no_dead_worker(jobs: Jobs) -> None:
    job, _ = jobs.hang()
    kill(job.worker_pid)
    jobs.await_death(job)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        jobs.store.update(job.id, worker_pid=stranger.pid)
        service.recover(jobs.repository)
        assert jobs.get(job).outcome is Outcome.INTERRUPTED
        assert not identity.kill(stranger.pid, job.worker_started, job.boot_id)
        assert stranger.poll() is None
        stranger.kill()


def test_a_workspace_that_is_gone_with_its_worker(jobs: Jobs) -> None:
    job, _ = jobs.hang("echo x > made; git add made")
    kill(job.worker_pid)
    jobs.await_death(job)
    subprocess.run(["rm", "-rf", str(job.worktree)], check=True, timeout=60)
    service.recover(jobs.repository)
    job = jobs.get(job)
    assert job.outcome is Outcome.INTERRUPTED
    assert jobs.content(job, "made") == b"x\n"


def test_a_copy_to_look_at_goes_when_its_worker_died(jobs: Jobs, worktrees: Path) -> None:
    job, _ = jobs.hang(isolation=Isolation.READ_ONLY, base="HEAD")
    assert (worktrees / job.id).is_dir()
    kill(job.worker_pid)
    jobs.await_death(job)
    service.recover(jobs.repository)
    found = jobs.get(job)
    assert (found.outcome, found.worktree, found.result) == (Outcome.INTERRUPTED, None, None)
    assert not (worktrees / job.id).exists()


@pytest.mark.parametrize("step", ["run.agent-done", "discard.renamed", "discard.unregistered"])
@pytest.mark.parametrize("script", ["true", "echo x > made"])
def test_a_copy_to_look_at_whose_worker_died_as_it_went(
    jobs: Jobs, worktrees: Path, step: str, script: str
) -> None:
    job = crash(jobs, step, script, "look")
    service.recover(jobs.repository)
    found = jobs.get(job)
    early = step == "run.agent-done"
    outcome = Outcome.INTERRUPTED if early else Outcome.SUCCEEDED
    assert (found.outcome, found.worktree, found.state) == (outcome, None, State.FINISHED)
    assert not list(worktrees.glob("[a-z]*"))
    assert jobs.repo.text("branch", "--list", "sideshoot/*") == ""
    if script != "true":
        assert jobs.content(job, "made") == b"x\n"


def test_a_fault_in_saving_does_not_block_all_commands(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = jobs.hang("echo x > made")
    kill(job.worker_pid)
    jobs.await_death(job)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sideshoot.jobs.saving.capture", broken)
    service.recover(jobs.repository)
    job = jobs.get(job)
    assert job.state is State.FINISHED
    assert "ZeroDivisionError" in (job.error or "")
    assert job.worktree is not None


# -- damaged records


def damage(jobs: Jobs) -> None:
    jobs.store.close()
    jobs.store.path.write_bytes(b"\0" * 8192)
    for ending in ("-wal", "-shm"):
        jobs.store.path.with_name(f"sideshoot.db{ending}").unlink(missing_ok=True)


def test_a_damaged_store_is_made_anew_and_said_to_be_so(jobs: Jobs) -> None:
    done = jobs.run("echo x > made")
    alive, sleep = jobs.hang("echo y > made")
    jobs.store.set_setting("gate", "on")
    damage(jobs)
    (note,) = service.recover(jobs.repository)
    assert "made anew" in note
    assert jobs.get(done) == done
    assert jobs.get(alive).state is State.RUNNING
    (aside,) = jobs.repository.state_dir.glob("damaged-*.db")
    assert aside.stat().st_size == 8192
    # The worker, which had the old file open, goes on in the new one.
    kill(running(sleep)[0])
    assert jobs.wait(alive).outcome is Outcome.FAILED
    assert jobs.content(alive, "made") == b"y\n"


def test_a_job_without_a_folder_comes_back_from_its_refs(jobs: Jobs) -> None:
    open_job = jobs.run("echo x > made")
    damage(jobs)
    subprocess.run(["rm", "-rf", str(jobs.folder(open_job).top)], check=True, timeout=60)
    notes = rebuild(jobs.repository)
    assert any("known only by their refs" in note for note in notes)
    job = jobs.get(open_job)
    assert (job.state, job.decision) == (State.FINISHED, Decision.OPEN)
    for fact in ("base", "result", "worktree", "git_dir", "branch"):
        assert getattr(job, fact) == getattr(open_job, fact), fact


def test_a_rebuild_of_good_records_changes_nothing(jobs: Jobs) -> None:
    job = jobs.run("echo x > made")
    assert rebuild(jobs.repository) == []
    assert jobs.store.list() == [job]
