"""Settings, the budget, and jobs that outlive who asked for them."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.command import PROGRAM
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

# Inside a fence it could not say that it has begun.
UNFENCED = ("--sandbox", "off")
SLOW = 'touch "$STARTED"; while ! [ -e "$GO" ]; do sleep 0.05; done; echo made > made.txt'


class Slow:
    """A command that begins, and ends when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.started, self.go = folder / "started", folder / "go"
        self.env = {"STARTED": str(self.started), "GO": str(self.go)}

    def await_start(self) -> None:
        await_true(self.started.exists, "the beginning of the command")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    made = Slow(tmp_path)
    yield made
    made.go.touch()  # a test that failed has not: its job would go on to the limit of its time


def surviving(sideshoot: Command, slow: Slow) -> subprocess.Popen[bytes]:
    process = sideshoot.start("run", "--survive", *UNFENCED, "--", "sh", "-c", SLOW, env=slow.env)
    slow.await_start()
    return process


def test_one_that_survives_looks_like_any_other(repo: Repo, sideshoot: Command) -> None:
    done = sideshoot("run", "--survive", "--", "sh", "-c", "echo out; echo made > made.txt").ok()
    assert done.out == "out\n"
    assert "made.txt" in done.err
    assert sideshoot("run", "--survive", "--", "false").status == 1
    sideshoot("keep", sideshoot.json("status")["jobs"][1]["job_id"]).ok()
    assert repo.read("made.txt") == b"made\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_goes_on_when_a_signal_ends_the_showing(
    sideshoot: Command, slow: Slow, number: signal.Signals
) -> None:
    process = surviving(sideshoot, slow)
    process.send_signal(number)
    shown = sideshoot.finish(process)
    assert shown.status == 128 + number
    job = sideshoot.json("status")["jobs"][0]["job_id"]
    said = shown.err.splitlines()[-1]
    assert said.startswith(f"job {job} goes on in the background; ")
    assert said.endswith(f" wait {job}")
    assert sideshoot.json("status")["jobs"][0]["state"] == "running"

    slow.go.touch()
    sideshoot("wait", "--timeout", "60s").ok()
    assert sideshoot.json("status")["jobs"][0]["outcome"] == "succeeded"


def test_it_goes_on_when_the_terminal_goes_away(repo: Repo, sideshoot: Command, slow: Slow) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "run", "--survive", *UNFENCED, "--", "sh", "-c", SLOW],
        cwd=repo.top,
        env={**os.environ, **slow.env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )
    os.close(theirs)
    slow.await_start()
    os.close(ours)
    assert process.wait(60) == 128 + signal.SIGHUP

    slow.go.touch()
    sideshoot("wait", "--timeout", "60s").ok()
    assert sideshoot.json("status")["jobs"][0]["outcome"] == "succeeded"


def test_it_is_said_where_somebody_still_hears_it(
    repo: Repo, sideshoot: Command, slow: Slow
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "run", "--survive", *UNFENCED, "--", "sh", "-c", SLOW],
        cwd=repo.top,
        env={**os.environ, **slow.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    slow.await_start()
    os.close(ours)
    process.send_signal(signal.SIGTERM)
    shown = sideshoot.finish(process)
    assert shown.status == 143
    assert "goes on in the background" in shown.out
    slow.go.touch()
    sideshoot("wait", "--timeout", "60s").ok()


def test_a_host_that_wants_json_gets_the_running_job(sideshoot: Command, slow: Slow) -> None:
    process = sideshoot.start(
        "run", "--survive", *UNFENCED, "--json", "--", "sh", "-c", SLOW, env=slow.env
    )
    slow.await_start()
    process.send_signal(signal.SIGTERM)
    shown = sideshoot.finish(process)
    assert (shown.status, shown.json["state"]) == (143, "running")
    assert "goes on in the background" in shown.err
    slow.go.touch()
    sideshoot("wait", shown.json["job_id"], "--timeout", "60s").ok()


def test_a_second_ctrl_c_ends_what_will_not_end(sideshoot: Command, slow: Slow) -> None:
    script = f"trap 'touch \"$STARTED.heard\"' INT TERM; {SLOW}"
    process = sideshoot.start("run", "--survive", *UNFENCED, "--", "sh", "-c", script, env=slow.env)
    slow.await_start()
    process.send_signal(signal.SIGINT)
    await_true(Path(f"{slow.started}.heard").exists, "the first Ctrl-C")
    process.send_signal(signal.SIGINT)
    shown = sideshoot.finish(process)
    assert shown.status == 130
    assert "background" not in shown.err
    assert sideshoot.json("status")["jobs"][0]["outcome"] == "cancelled"


def test_ctrl_c_cancels_it_all_the_same(sideshoot: Command, slow: Slow) -> None:
    process = surviving(sideshoot, slow)
    process.send_signal(signal.SIGINT)
    assert sideshoot.finish(process).status == 130
    assert sideshoot.json("status")["jobs"][0]["outcome"] == "cancelled"


def test_too_much_output_ends_a_job_and_its_work_is_saved(repo: Repo, sideshoot: Command) -> None:
    script = "echo made > made.txt; yes"
    done = sideshoot("run", "--output-limit", "64K", "--", "sh", "-c", script)
    assert done.status == 1
    assert "65536 bytes, its limit" in done.err
    sideshoot("keep").ok()
    assert repo.read("made.txt") == b"made\n"


def test_settings_are_shown_changed_and_taken_back(sideshoot: Command) -> None:
    assert "gc.max_age_days" in sideshoot("config").ok().out
    assert sideshoot("config", "gc.max_age_days", "3").ok().out == "3\n"
    shown = sideshoot.json("config", "gc.max_age_days")["settings"]
    assert [(one["key"], one["value"], one["from"]) for one in shown] == [
        ("gc.max_age_days", "3", "this repository")
    ]
    assert sideshoot("config", "gc.max_age_days", "default").ok().out == "14\n"
    sideshoot("config", "no.such").refused("there is no setting 'no.such'", status=2)
    sideshoot("config", "gc.max_size_mb", "much").refused("takes a number", status=2)


def test_looking_at_settings_makes_no_records(repo: Repo, sideshoot: Command) -> None:
    shown = sideshoot.json("config")["settings"]
    assert {setting["from"] for setting in shown} == {"default"}
    sideshoot("config", "run.timeout", "soon").refused("it takes a duration", status=2)
    assert not (repo.top / ".git" / "sideshoot").exists()


def test_run_goes_by_the_settings_unless_an_option_says_otherwise(sideshoot: Command) -> None:
    sideshoot("config", "run.output_limit", "64K").ok()
    sideshoot("config", "run.idle_timeout", "1s").ok()
    printed = "head -c 100000 /dev/zero"
    assert (
        "65536 bytes, its limit" in sideshoot("run", "--", "sh", "-c", f"{printed}; sleep 600").err
    )
    silent = sideshoot("run", "--", "sleep", "600")
    assert (silent.status, "(--idle-timeout)" in silent.err) == (124, True)
    options = ("--output-limit", "off", "--idle-timeout", "off")
    sideshoot("run", *options, "--", "sh", "-c", f"{printed}; sleep 1.5").ok()


def test_a_setting_names_who_does_a_task(sideshoot: Command, tmp_path: Path) -> None:
    # A folder without codex and with all else; the message names who was to do it.
    sideshoot("config", "run.agent", "codex").ok()
    without = {"PATH": "/usr/bin:/bin", "CODEX_HOME": str(tmp_path)}
    sideshoot("run", "weed", env=without).refused("codex is not", status=3)
    sideshoot("run", "--", "true").ok()


def test_status_warns_when_the_jobs_take_more_than_they_should(sideshoot: Command) -> None:
    sideshoot.run("head -c 3000000 /dev/urandom > large")
    assert sideshoot.json("status")["warnings"] == []

    sideshoot("config", "gc.max_size_mb", "1").ok()

    said = sideshoot("status").ok().err
    assert said.count("\n") == 1
    assert "more than the 1 of gc.max_size_mb" in said
    assert "gc --dry-run" in sideshoot.json("status")["warnings"][0]
    assert "gc.max_size_mb; " in sideshoot("run", "--", "true").ok().err
    for job in sideshoot.json("status")["jobs"]:
        sideshoot("discard", job["job_id"]).ok()


def test_undo_says_that_a_commit_stays(repo: Repo, sideshoot: Command) -> None:
    sideshoot.run("echo made > made.txt")
    sideshoot("keep", "--commit").ok()
    assert f"git revert {repo.head()[:10]}" in sideshoot("undo").ok().err


def test_a_background_job_counts_for_the_budget_and_gc_counts_anew(sideshoot: Command) -> None:
    sideshoot("config", "gc.max_size_mb", "1").ok()
    script = "head -c 3000000 /dev/urandom > large"
    job = sideshoot("run", "-b", "--", "sh", "-c", script).ok().out.strip()
    sideshoot("wait", job, "--timeout", "60s").ok()
    await_true(lambda: sideshoot.json("status")["warnings"], "the worker's note")

    sideshoot("config", "gc.max_age_days", "0").ok()
    sideshoot("discard", job).ok()
    sideshoot("gc").ok()
    assert sideshoot.json("status")["warnings"] == []


def test_ignored_files_that_went_with_the_workspace_are_said_to(
    repo: Repo, sideshoot: Command
) -> None:
    repo.write(".gitignore", "build/\n")
    job = sideshoot.run("mkdir build; echo out > build/out; echo made > made.txt")["job_id"]
    sideshoot("keep", job).ok()
    sideshoot("undo", job).ok()

    refused = sideshoot("keep", job, "--ignored", "build")
    refused.refused("is gone, and what git ignores went with it", "without --ignored")
    assert not (repo.top / "made.txt").exists()

    sideshoot("keep", job).ok()
    assert repo.read("made.txt") == b"made\n"
