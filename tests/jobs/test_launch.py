"""Detached workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sideshoot.errors import WrongState
from sideshoot.jobs import service
from sideshoot.lock import is_held
from sideshoot.model import Outcome, State
from support.processes import await_true, running

if TYPE_CHECKING:
    from support.jobs import Jobs

MANY = """
import sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.jobs import service
from sideshoot.model import Request
repository = discover(Path(sys.argv[1]))
print("ready", flush=True)
input()
for number in range(5):
    script = f"echo {sys.argv[2]}{number} > made"
    job = service.create(repository, Request("command", command=("sh", "-c", script)))
    service.launch(repository, job.id)
    print(job.id, f"{sys.argv[2]}{number}", flush=True)
"""


def test_a_worker_is_detached(jobs: Jobs) -> None:
    job, _ = jobs.hang()
    assert job.worker_pid is not None
    worker = psutil.Process(job.worker_pid)
    assert worker.cwd() == "/"
    assert os.getsid(worker.pid) == worker.pid
    assert is_held(jobs.folder(job).lock)


def test_a_worker_does_the_job_and_its_log_is_empty(jobs: Jobs) -> None:
    job = jobs.wait(jobs.launch("echo x > made; exit 4"))
    assert (job.state, job.outcome, job.exit_code) == (State.FINISHED, Outcome.FAILED, 4)
    assert jobs.content(job, "made") == b"x\n"
    assert jobs.folder(job).worker_log.read_bytes() == b""


def test_a_job_is_launched_once(jobs: Jobs) -> None:
    job, _ = jobs.hang()
    with pytest.raises(WrongState, match="worker already"):
        service.launch(jobs.repository, job.id)


def test_agents_do_not_inherit_the_lock(jobs: Jobs) -> None:
    job, sleep = jobs.hang()
    (agent,) = running(sleep)
    held = [str(path.readlink()) for path in Path(f"/proc/{agent}/fd").iterdir()]
    assert not any(str(jobs.folder(job).top) in place for place in held)


def test_a_job_whose_launcher_is_slow_is_left_alone(jobs: Jobs) -> None:
    job = jobs.create()
    other = (
        "import sys; from pathlib import Path; from sideshoot.git import discover; "
        "from sideshoot.jobs import service; print(service.recover(discover(Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", other, str(jobs.repo.top)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "[]\n"
    assert jobs.get(job).state is State.QUEUED
    service.launch(jobs.repository, job.id)
    assert jobs.wait(job).outcome is Outcome.SUCCEEDED


def test_fifty_jobs_from_ten_processes(jobs: Jobs) -> None:
    launchers = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(jobs.repo.top), letter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "abcdefghij"
    ]
    for launcher in launchers:
        assert launcher.stdout
        assert launcher.stdout.readline() == "ready\n"
    for launcher in launchers:
        assert launcher.stdin
        launcher.stdin.write("go\n")
        launcher.stdin.flush()
    said = "".join(launcher.communicate(timeout=100)[0] for launcher in launchers)
    expected = dict(line.split() for line in said.splitlines())
    assert len(expected) == 50
    done = service.wait(jobs.repository, list(expected), timeout_s=100)
    assert {job.outcome for job in done} == {Outcome.SUCCEEDED}
    made = {job.id: (jobs.content(job, "made") or b"").decode().strip() for job in done}
    assert made == expected
    assert jobs.store.count() == 50
    assert jobs.repo.git("status", "--short") == b""
    assert [jobs.folder(job).worker_log.read_bytes() for job in done] == [b""] * 50


def test_a_launcher_that_lives_on_has_no_zombies(jobs: Jobs) -> None:
    others = {child.pid for child in psutil.Process().children()}
    jobs.wait(jobs.launch())
    await_true(
        lambda: {child.pid for child in psutil.Process().children()} <= others,
        "the end of the worker",
    )
