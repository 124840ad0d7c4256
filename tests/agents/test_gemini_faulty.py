"""A Gemini CLI that misbehaves: noise, odd events, and every way to die."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.gemini import GeminiAgent
from sideshoot.agents.gemini.faults import explain, http_status
from sideshoot.errors import AgentUnavailable
from support.processes import await_true, long_sleep, running

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]

_PROGRAM = """\
#!{python}
import json, os, subprocess, sys

def write(raw):
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()

def say(kind, **facts):
    write(json.dumps({{"type": kind, **facts}}).encode() + b"\\n")

def message(text):
    say("message", role="assistant", content=text, delta=True)

def finish(status="success", **facts):
    say("result", status=status, stats={{}}, **facts)

if sys.argv[1:] == ["--version"]:
    print("0.0.1")
    sys.exit()
{early}
task = sys.stdin.read()
say("init", session_id="session-1", model="m")
{script}
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A round with a stand-in that does a piece of Python with its task."""

    def round_with(script: str = "message('x'); finish()", early: str = "") -> Round:
        program = tmp_path / "bin" / "gemini"
        program.parent.mkdir()
        body = textwrap.dedent(script)
        program.write_text(_PROGRAM.format(python=sys.executable, script=body, early=early))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        folder = tmp_path / "work"
        folder.mkdir()
        return Round(GeminiAgent(patience_s=0.3), folder, f"faulty{os.getpid()}")

    return round_with


def test_noise_on_the_wire_is_kept_and_does_no_harm(make: Make) -> None:
    gemini = make(r"""
        write(b"\x1b[31mWARN\x1b[0m something\n\n" + b"[1, 2]\n{broken\n\xff\xfe\n")
        say("garden", litres=3)
        say("tool_result", tool_id="unknown", status="success")
        message("still ")
        message("here")
        finish()
    """)
    result = gemini.run("x")
    assert (result.succeeded, result.message) == (True, "still here")
    assert gemini.texts(EventKind.MESSAGE) == "still here"
    raw = [data["payload"] for data in gemini.of(EventKind.RAW)]
    assert "WARN" in raw[0]
    assert "\\xff\\xfe" in raw
    assert raw[-1]["litres"] == 3


def test_an_end_without_a_result_is_a_failure(make: Make) -> None:
    """Whatever the exit status says."""
    result = make("message('half')").run("x")
    assert result.error == "gemini ended with status 0; it told no result"
    assert (result.message, result.thread_id) == ("half", "session-1")


def test_an_error_in_the_result_counts_and_not_the_exit_status(make: Make) -> None:
    assert make("finish('error', error={'message': 'no\\nway'})").run("x").error == "no way"


def test_an_exit_status_counts_in_spite_of_the_result(make: Make) -> None:
    result = make("finish(); sys.exit(173)").run("x")
    assert "takes no more requests" in (result.error or "")


@pytest.mark.parametrize(
    ("exit_status", "expected"),
    [(145, 401), (173, 429), (244, 500), (247, 503), (0, 0), (1, 0), (41, 0), (137, 0), (None, 0)],
)
def test_exit_statuses_are_read(exit_status: int | None, expected: int) -> None:
    assert http_status(exit_status) == expected


@pytest.mark.parametrize(
    ("exit_status", "words"), [(148, "--model"), (53, "turns"), (244, "failed"), (1, "odd")]
)
def test_failures_are_explained(exit_status: int, words: str) -> None:
    assert words in explain({"error": {"message": "odd"}}, exit_status)


def test_a_death_in_the_middle_is_told_with_its_last_words(make: Make) -> None:
    gemini = make("print('panic:\\nno more water', file=sys.stderr); sys.exit(1)")
    error = gemini.run("x").error
    assert error == "gemini ended with status 1; panic:; no more water; it told no result"


def test_a_death_is_told_though_somebody_holds_its_output(make: Make) -> None:
    sleep = long_sleep()
    gemini = make(f"subprocess.Popen({sleep.split()}, start_new_session=True); os._exit(7)")
    assert "ended with status 7" in (gemini.run("x").error or "")
    assert running(sleep) == []


def test_a_program_that_goes_on_after_its_result_is_ended(make: Make) -> None:
    sleep = long_sleep()
    gemini = make(f"message('x'); finish(); subprocess.run({sleep.split()})")
    assert gemini.run("x").succeeded
    assert running(sleep) == []


def test_stop_while_it_does_not_read(make: Make) -> None:
    """A long prompt fills the pipe; a stop must not wait behind it."""
    sleep = long_sleep()
    gemini = make(early=f"os.execvp('sleep', {sleep.split()})")
    gemini.start("x" * 1_000_000)
    await_true(lambda: running(sleep))
    gemini.stop.request(StopReason.CANCELLED)
    assert gemini.finish().error == "stopped: cancelled"
    assert running(sleep) == []


def test_a_failing_listener_ends_it(make: Make) -> None:
    sleep = long_sleep()

    class Full(list):  # type: ignore[type-arg]
        def append(self, event: Any) -> None:
            if event.kind is EventKind.STARTED:
                raise OSError(28, "No space left on device")

    gemini = make(f"subprocess.run({sleep.split()})")
    gemini.events = Full()
    with pytest.raises(OSError, match="No space left"):
        gemini.run("x")
    assert running(sleep) == []


def test_a_session_that_is_gone(make: Make) -> None:
    result = make().run("x", thread_id="0199a213-81c0-7800-8aa1-bbab2a035a53")
    assert not result.succeeded
    assert "--fresh" in (result.error or "")


def test_a_gemini_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not GeminiAgent().readiness().installed
    with pytest.raises(AgentUnavailable, match="npm install -g @google/gemini-cli"):
        Round(GeminiAgent(), tmp_path, "none").run("x")
