"""A job in the foreground, from its beginning to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import AgentResult, Event, EventKind, Stop, StopReason, Task
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError, WrongState
from sideshoot.jobs import events, service
from sideshoot.jobs.brief import Brief
from sideshoot.lock import is_held
from sideshoot.model import Decision, Isolation, Outcome, Request, State
from support.processes import await_true, long_sleep, running
from support.repos import FILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jobs import Gardener, Jobs


def test_a_job_is_recorded_before_anything_else(jobs: Jobs) -> None:
    job = jobs.create("echo hello > made")
    assert jobs.get(job) == job
    assert (job.state, job.worktree, job.base) == (State.QUEUED, None, None)
    assert is_held(jobs.folder(job).lock)
    assert not (jobs.repo.top / ".worktrees").exists()
    done = service.work(jobs.repository, job.id)
    assert (done.state, done.outcome, done.decision) == (
        State.FINISHED,
        Outcome.SUCCEEDED,
        Decision.OPEN,
    )
    assert done == jobs.get(job)
    assert not is_held(jobs.folder(job).lock)
    assert jobs.content(job, "made") == b"hello\n"
    assert (jobs.repo.top / ".worktrees" / job.id / "made").exists()
    assert not (jobs.repo.top / "made").exists()


def test_the_record_says_how_it_ended(jobs: Jobs) -> None:
    job = jobs.run("echo said; echo more >> app.py; touch a.log; exit 7")
    assert (job.outcome, job.exit_code, job.message) == (Outcome.FAILED, 7, "said\n")
    assert job.error
    assert job.ignored_paths == ("a.log",)
    assert job.ignored_count == 1
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at
    assert job.worker_pid == os.getpid()
    assert job.boot_id
    assert job.worker_started


def test_ignored_files_that_are_in_the_result_are_not_named_apart(jobs: Jobs) -> None:
    job = jobs.run("touch a.log; echo x > b.log; git add -f b.log")
    assert (job.ignored_count, job.ignored_paths) == (1, ("a.log",))
    assert jobs.content(job, "b.log") == b"x\n"


def test_events_are_logged_and_told(jobs: Jobs) -> None:
    told: list[Event] = []
    job = jobs.create("echo one; echo two >&2")
    service.work(jobs.repository, job.id, on_event=told.append)
    logged = list(events.read(jobs.folder(job).events))
    assert [event.kind for event in logged] == [str(event.kind) for event in told]
    assert [event.seq for event in logged] == list(range(1, len(logged) + 1))
    printed = {e.data["stream"]: e.data["text"] for e in logged if e.kind == "output"}
    assert printed == {"stdout": "one\n", "stderr": "two\n"}
    assert logged[-1].kind == "finished"
    assert logged[-1].data == {"outcome": "succeeded", "error": None}


def test_the_agent_starts_where_the_caller_stood(jobs: Jobs) -> None:
    job = jobs.run("pwd; echo $SIDESHOOT_JOB $SIDESHOOT_WORKSPACE", subfolder="src/tools")
    top = jobs.repo.top / ".worktrees" / job.id
    assert job.message == f"{top}/src/tools\n{job.id} {top}\n"


@pytest.mark.parametrize("subfolder", ["not/there", "../../..", "link"])
def test_a_folder_that_is_not_in_the_workspace_is_replaced_by_its_top(
    jobs: Jobs, subfolder: str
) -> None:
    (jobs.repo.top / "link").symlink_to("/tmp")
    job = jobs.run("pwd", subfolder=subfolder)
    assert job.message == f"{jobs.repo.top}/.worktrees/{job.id}\n"


def test_a_prompt_is_a_commands_input(jobs: Jobs) -> None:
    job = jobs.run("cat", prompt="\udcffweeds\n")
    assert job.message is not None
    assert "weeds" in job.message
    assert jobs.folder(job).prompt.read_bytes() == b"\xffweeds\n"


def test_of_two_workers_one_gets_the_job(jobs: Jobs) -> None:
    job = jobs.create("echo x >> made")
    errors: list[Exception] = []

    def second() -> None:
        try:
            service.work(jobs.repository, job.id)
        except WrongState as error:
            errors.append(error)

    threads = [threading.Thread(target=second) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(errors) == 2
    assert jobs.content(job, "made") == b"x\n"


def test_a_finished_job_is_not_done_again(jobs: Jobs) -> None:
    job = jobs.run()
    with pytest.raises(WrongState, match="finished"):
        service.work(jobs.repository, job.id)


@pytest.mark.parametrize(
    ("facts", "error", "words"),
    [
        pytest.param({"base": "no-such"}, UsageError, "names no commit", id="base"),
        pytest.param({"agent": "nobody"}, AgentUnavailable, "nobody", id="agent"),
        pytest.param({"resume": "k3aaaa"}, UsageError, "no job", id="resume"),
        pytest.param(
            {"base": "HEAD", "isolation": Isolation.IN_PLACE}, UsageError, "--base", id="in place"
        ),
    ],
)
def test_what_can_not_work_is_not_recorded(
    jobs: Jobs, facts: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        jobs.create(**facts)
    assert jobs.store.list() == []
    assert not (jobs.repository.state_dir / "jobs").exists()


def test_where_nothing_can_be_recorded_nothing_is_begun(jobs: Jobs) -> None:
    (jobs.repository.state_dir / "jobs").write_text("in the way")
    with pytest.raises(CannotStart, match="nothing was begun"):
        jobs.create()
    assert jobs.store.list() == []


def test_an_agent_that_is_not_there_leaves_no_workspace(jobs: Jobs, worktrees: Path) -> None:
    job = service.create(jobs.repository, Request("command", command=("no-such-program",)))
    with pytest.raises(AgentUnavailable, match="no-such-program"):
        service.work(jobs.repository, job.id)
    job = jobs.get(job)
    assert (job.state, job.outcome, job.worktree) == (State.FINISHED, Outcome.FAILED, None)
    assert "no-such-program" in (job.error or "")
    await_true(lambda: not worktrees.exists(), "the removal of the folder")
    assert jobs.repo.git("branch", "--list", "sideshoot/*") == b""


def test_a_base_that_can_not_be_made_ends_the_job(jobs: Jobs, worktrees: Path) -> None:
    job = jobs.create()
    (jobs.repository.state_dir / "tmp").write_text("in the way")
    with pytest.raises(CannotStart, match="the job can't begin"):
        service.work(jobs.repository, job.id)
    job = jobs.get(job)
    assert (job.state, job.outcome, job.worktree) == (State.FINISHED, Outcome.FAILED, None)
    assert not worktrees.exists()


def test_a_workspace_that_can_not_be_opened_ends_the_job(jobs: Jobs, worktrees: Path) -> None:
    worktrees.write_text("in the way")
    job = jobs.create()
    with pytest.raises(CannotStart):
        service.work(jobs.repository, job.id)
    job = jobs.get(job)
    assert (job.state, job.outcome, job.worktree) == (State.FINISHED, Outcome.FAILED, None)
    assert job.error


def test_a_job_without_a_log_does_not_begin(jobs: Jobs) -> None:
    job = jobs.create("echo x > made")
    jobs.folder(job).events.mkdir()
    with pytest.raises(CannotStart, match="can't write"):
        service.work(jobs.repository, job.id)
    service.recover(jobs.repository)
    assert jobs.get(job).outcome is Outcome.INTERRUPTED


def test_work_that_can_not_be_saved_stays(jobs: Jobs) -> None:
    scratch = jobs.repository.state_dir / "tmp"
    job = jobs.run(f"echo x > made; rm -rf '{scratch}'; touch '{scratch}'")
    assert (job.outcome, job.exit_code, job.result) == (Outcome.FAILED, 0, None)
    assert "it still lies there" in (job.error or "")
    assert job.worktree
    assert Path(job.worktree, "made").read_text() == "x\n"


def test_an_agent_that_breaks_loses_no_work(jobs: Jobs, gardener: Gardener) -> None:
    def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        (task.folder / "made").write_text("before it broke")
        raise ZeroDivisionError("a bug")

    gardener.turn = turn
    job = service.work(jobs.repository, gardener.job(jobs))
    assert job.outcome is Outcome.FAILED
    assert "ZeroDivisionError: a bug" in (job.error or "")
    assert jobs.content(job, "made") == b"before it broke"
    (error,) = [e for e in events.read(jobs.folder(job).events) if e.kind == "error"]
    assert "Traceback" in error.data["trace"]


def test_a_listener_that_breaks_is_not_called_again(jobs: Jobs) -> None:
    calls = []

    def listen(event: Event) -> None:
        calls.append(event)
        raise BrokenPipeError

    job = service.work(jobs.repository, jobs.create("echo a; echo b").id, on_event=listen)
    assert job.outcome is Outcome.SUCCEEDED
    assert len(calls) == 1


def test_an_interrupt_that_python_raises_is_a_cancel(jobs: Jobs, gardener: Gardener) -> None:
    def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        (task.folder / "made").write_text("x")
        raise KeyboardInterrupt

    gardener.turn = turn
    job = service.work(jobs.repository, gardener.job(jobs))
    assert job.outcome is Outcome.CANCELLED
    assert jobs.content(job, "made") == b"x"


def test_the_thread_is_recorded_as_soon_as_it_is_known(jobs: Jobs, gardener: Gardener) -> None:
    seen = []

    def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        emit(Event(EventKind.STARTED, {"thread_id": "early"}))
        seen.append(jobs.store.list()[0].thread_id)
        return AgentResult(True, thread_id="late", usage={"total_tokens": 3}, message="done")

    gardener.turn = turn
    job = service.work(jobs.repository, gardener.job(jobs))
    assert seen == ["early"]
    assert (job.thread_id, job.usage, job.message) == ("late", {"total_tokens": 3}, "done")


def test_an_agent_may_write_where_git_needs_it(jobs: Jobs, gardener: Gardener) -> None:
    tasks = []

    def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        tasks.append(task)
        return AgentResult(True)

    gardener.turn = turn
    service.work(jobs.repository, gardener.job(jobs, model="m", effort="e"))
    service.work(jobs.repository, gardener.job(jobs, isolation=Isolation.READ_ONLY))
    first, second = tasks
    assert (first.model, first.effort, first.prompt) == ("m", "e", "weed")
    assert jobs.repository.common_dir / "objects" in first.writable
    assert not first.read_only
    assert second.writable == ()
    assert second.read_only
    assert second.top == jobs.repository.top


@pytest.mark.parametrize(
    ("limits", "outcome", "words"),
    [
        pytest.param({"timeout_s": 2.0}, Outcome.TIMED_OUT, "after 2 s", id="wall clock"),
        pytest.param({"idle_timeout_s": 2.0}, Outcome.TIMED_OUT, "no sign of life", id="idle"),
        pytest.param({"output_limit": 10}, Outcome.FAILED, "more than 10 bytes", id="output"),
    ],
)
def test_a_limit_ends_the_whole_tree_and_says_which(
    jobs: Jobs, limits: dict[str, float], outcome: Outcome, words: str
) -> None:
    sleep = long_sleep()
    job = jobs.run(f"echo x > made; echo a line of some length; {sleep} & {sleep}", **limits)
    assert job.outcome is outcome
    assert words in (job.error or "")
    assert jobs.content(job, "made") == b"x\n"
    assert running(sleep) == []


def test_an_agent_that_shows_life_is_not_idle(jobs: Jobs) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; sleep 0.25; done"
    assert jobs.run(script, idle_timeout_s=2.5).outcome is Outcome.SUCCEEDED


def test_a_stop_before_the_agent_starts_is_a_cancel(jobs: Jobs, gardener: Gardener) -> None:
    def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        stop.request(StopReason.CANCELLED)
        return AgentResult(False, error="stopped")

    gardener.turn = turn
    assert service.work(jobs.repository, gardener.job(jobs)).outcome is Outcome.CANCELLED


# -- in the user's own tree


def test_a_job_in_place_works_in_the_users_tree(jobs: Jobs, worktrees: Path) -> None:
    (jobs.repo.top / "mine").write_text("mine")
    job = jobs.run("echo x > made; pwd", isolation=Isolation.IN_PLACE, subfolder="src")
    assert job.message == f"{jobs.repo.top}/src\n"
    assert (jobs.repo.top / "src" / "made").exists()
    assert job.decision is Decision.KEPT
    assert job.worktree is None
    assert not worktrees.exists()
    assert job.base
    assert job.result
    changed = jobs.repo.git("diff", "--name-only", job.base, job.result)
    assert changed == b"src/made\n"


def test_a_read_only_job_that_writes_is_told_of(jobs: Jobs) -> None:
    quiet = jobs.run("cat app.py", isolation=Isolation.READ_ONLY)
    assert (quiet.result, quiet.decision, quiet.warnings) == (None, Decision.OPEN, ())
    loud = jobs.run("echo x >> app.py", isolation=Isolation.READ_ONLY)
    (warning,) = loud.warnings
    assert "changed while it looked" in warning


def test_a_look_at_a_commit_has_a_copy_that_goes_afterwards(jobs: Jobs, worktrees: Path) -> None:
    repo = jobs.repo
    repo.write("app.py", "edited\n")
    before = repo.fingerprint()
    job = jobs.run("pwd; cat app.py; git status -s", isolation=Isolation.READ_ONLY, base="HEAD")
    assert job.message == f"{worktrees}/{job.id}\n{FILES['app.py']}"
    assert (job.worktree, job.result, job.decision) == (None, None, Decision.DISCARDED)
    assert job.warnings == ()
    assert repo.fingerprint() == before
    assert repo.text("branch", "--list", "sideshoot/*") == ""
    assert not list(worktrees.glob("[a-z]*"))


def test_what_is_written_in_such_a_copy_is_told_of_and_held(jobs: Jobs) -> None:
    before = jobs.repo.fingerprint()
    job = jobs.run("echo x > made", isolation=Isolation.READ_ONLY, base="HEAD")
    assert job.worktree is None
    assert any("only to look at" in warning for warning in job.warnings)
    assert jobs.content(job, "made") == b"x\n"
    assert jobs.repo.fingerprint() == before


def test_what_a_look_does_to_the_users_refs_is_a_warning(jobs: Jobs) -> None:
    job = jobs.run("git branch stray", isolation=Isolation.READ_ONLY)
    assert any("stray" in warning for warning in job.warnings)


def test_git_writes_nothing_for_who_may_only_look(jobs: Jobs) -> None:
    repo = jobs.repo
    os.utime(repo.place("app.py"), (1_000_000_000, 1_000_000_000))
    index = (repo.git_dir / "index").read_bytes()
    jobs.run("git status; git diff; git diff HEAD", isolation=Isolation.READ_ONLY)
    assert (repo.git_dir / "index").read_bytes() == index


def test_a_brief_is_told_in_place_of_the_words(jobs: Jobs, gardener: Gardener) -> None:
    brief = Brief("all of it \udcff", {"type": "object"}, {"type": "custom"})
    request = Request("gardener", prompt="weed", isolation=Isolation.READ_ONLY)
    job = service.create(jobs.repository, request, brief=brief)
    service.work(jobs.repository, job.id)
    (task,) = gardener.tasks
    assert (task.prompt, task.output_schema, task.reviewer) == (
        "all of it \udcff",
        {"type": "object"},
        {"type": "custom"},
    )
    assert jobs.get(job).request.prompt == "weed"


# -- what the agent does to the user's side


def test_what_the_agent_does_to_the_users_refs_is_a_warning(jobs: Jobs) -> None:
    job = jobs.run("git branch stray; git -C ../.. config core.bare true")
    assert any("stray" in warning for warning in job.warnings)
    assert any(".git/config changed" in warning for warning in job.warnings)
    assert jobs.repo.git("status", "--short") == b""


# -- signals

LISTEN = """
import sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.jobs import service
from sideshoot.model import Request
repository = discover(Path(sys.argv[1]))
job = service.create(repository, Request("command", command=("sh", "-c", sys.argv[2])))
print(job.id, flush=True)
job = service.work(repository, job.id)
print(job.outcome, job.error)
"""


def foreground(jobs: Jobs, script: str, *through: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*through, sys.executable, "-c", LISTEN, str(jobs.repo.top), script],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize(
    ("number", "words"),
    [(2, "interrupted by Ctrl-C"), (15, "SIGTERM"), (1, "SIGHUP")],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_stops_the_agent_and_saves_its_work(jobs: Jobs, number: int, words: str) -> None:
    sleep = long_sleep()
    process, job_id = foreground(jobs, f"echo x > made; {sleep}")
    await_true(lambda: running(sleep), "the agent's turn")
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("cancelled ")
    assert words in out
    assert running(sleep) == []
    assert jobs.content(jobs.get(job_id), "made") == b"x\n"


def test_a_second_interrupt_does_not_wait_for_a_polite_end(jobs: Jobs) -> None:
    sleep = long_sleep()
    stubborn = f"trap '' INT TERM; echo x > made; {sleep}; {sleep}; {sleep}"
    process, job_id = foreground(jobs, stubborn)
    await_true(lambda: running(sleep), "the agent's turn")
    os.kill(process.pid, 2)
    os.kill(process.pid, 2)
    os.kill(process.pid, 15)
    out, _ = process.communicate(timeout=60)
    assert out.startswith("cancelled ")
    assert running(sleep) == []
    assert jobs.content(jobs.get(job_id), "made") == b"x\n"


def test_a_hang_up_that_the_user_ignores_stays_ignored(jobs: Jobs) -> None:
    fifo = jobs.repo.top / "go.log"
    os.mkfifo(fifo)
    process, _ = foreground(jobs, f"read line < '{fifo}'; echo $line > made", "nohup")
    await_true(lambda: jobs.store.list()[0].opened)
    os.kill(process.pid, 1)
    fifo.write_text("on\n")
    out, _ = process.communicate(timeout=60)
    assert "succeeded" in out
