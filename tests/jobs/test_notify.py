"""Tell the user that a background job has ended."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

import pytest

from sideshoot.jobs.notify import COMMAND, TERMINAL_VARIABLE, notify
from sideshoot.model import Outcome
from support.processes import await_true

if TYPE_CHECKING:
    from pathlib import Path

    from support.jobs import Jobs


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", TERMINAL_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_the_users_command_is_told_of_the_job(jobs: Jobs, tmp_path: Path) -> None:
    told = tmp_path / "told"
    words = "$SIDESHOOT_ENDED_JOB $SIDESHOOT_ENDED_OUTCOME $SIDESHOOT_ENDED_TITLE"
    jobs.store.set_setting(COMMAND, f'echo "{words}" > "{told}.new"; mv "{told}.new" "{told}"')
    job = jobs.launch("exit 3", name="weeding")
    await_true(told.exists, "the notification")
    assert told.read_text() == f"{job.id} failed weeding\n"


def test_the_terminal_rings(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv(TERMINAL_VARIABLE, os.ttyname(theirs))
    notify(jobs.repository, jobs.store, jobs.run())
    assert os.read(ours, 10) == b"\a"
    os.close(ours)
    os.close(theirs)


def test_a_desktop_is_notified(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > "{tmp_path}/told"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    job = jobs.run(name="--help")
    notify(jobs.repository, jobs.store, job)
    told = (tmp_path / "told").read_text()
    assert told == f"--app-name=sideshoot|--|Job {job.id}: succeeded|--help|"
    (tmp_path / "told").unlink()
    jobs.store.set_setting(COMMAND, "off")
    notify(jobs.repository, jobs.store, job)
    assert not (tmp_path / "told").exists()


def test_what_fails_is_no_trouble(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.store.set_setting(COMMAND, "exit 3")
    monkeypatch.setenv(TERMINAL_VARIABLE, "/nowhere/tty")
    job = jobs.run()
    notify(jobs.repository, jobs.store, job)
    jobs.store.close()
    jobs.store.path.write_bytes(b"no database" * 500)
    notify(jobs.repository, jobs.store, job)
    assert job.outcome is Outcome.SUCCEEDED
