"""A Claude Code that misbehaves: noise, odd questions and messages, and every way to die."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.claude import ClaudeAgent
from sideshoot.errors import AgentUnavailable
from support.processes import await_true, long_sleep, running

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]

_PROGRAM = """\
#!{python}
import json, os, subprocess, sys, time

def write(raw):
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()

def say(**message):
    write(json.dumps(message).encode() + b"\\n")

def answer(request, **facts):
    response = {{"request_id": request["request_id"], "subtype": "success", **facts}}
    say(type="control_response", response=response)

def ask(subtype, **facts):
    request = {{"subtype": subtype, **facts}}
    say(type="control_request", request_id="theirs-1", request=request)
    return json.loads(sys.stdin.readline())["response"]

def message(text, **facts):
    content = [{{"type": "text", "text": text}}]
    say(type="assistant", message={{"model": "m", "content": content}}, **facts)

def finish(**facts):
    ended = {{"subtype": "success", "is_error": False, "num_turns": 1, **facts}}
    say(type="result", session_id="session-1", **ended)

def on_initialize(request):
    answer(request, response={{"account": {{"apiKeySource": "x"}}}})

{script}

if sys.argv[1:] == ["--version"]:
    print("0.0.1 (Claude Code)")
    sys.exit()
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "user":
        say(type="system", subtype="init", session_id="session-1", model="m")
        turn()
    elif request["request"]["subtype"] == "initialize":
        on_initialize(request)
    else:
        answer(request)
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A round with a stand-in that does a piece of Python in its turn."""

    def round_with(turn: str = "finish()", more: str = "") -> Round:
        install(monkeypatch, tmp_path / "bin", turn, more)
        folder = tmp_path / "work"
        folder.mkdir()
        return Round(ClaudeAgent(patience_s=0.3), folder, f"faulty{os.getpid()}")

    return round_with


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, turn: str, more: str = "") -> None:
    body = textwrap.indent(textwrap.dedent(turn).strip(), "    ")
    folder.mkdir()
    program = folder / "claude"
    script = f"{textwrap.dedent(more)}\ndef turn():\n{body}"
    program.write_text(_PROGRAM.format(python=sys.executable, script=script))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_noise_on_the_wire_is_kept_and_does_no_harm(make: Make) -> None:
    claude = make(r"""
        write(b"\x1b[31mWARN\x1b[0m something\n\n" + b"[1, 2]\n{broken\n\xff\xfe\n")
        write(b'{"no": "type"}\n{"type": 7}\n' + b"[" * 100_000 + b"\n")
        say(type="control_response", response={"request_id": "999", "subtype": "success"})
        say(type="control_response")
        say(type="control_cancel_request", request_id="theirs-1")
        say(type="assistant", message=None)
        say(type="user", message={"content": "text"})
        message("still here")
        finish()
    """)
    result = claude.run("x")
    assert (result.succeeded, result.message) == (True, "still here")
    noise = [data["payload"] for data in claude.of(EventKind.RAW)]
    assert "WARN" in noise[0]
    assert "\\xff\\xfe" in noise


def test_lines_of_any_size_are_read(make: Make) -> None:
    assert len(make("message('x' * 20_000_000); finish()").run("x").message) == 20_000_000


def test_messages_without_a_name_are_kept_raw(make: Make) -> None:
    claude = make("""
        say(type="garden", litres=3)
        say(type="system", subtype="pruned")
        say(type="rate_limit_event")
        finish()
    """)
    assert claude.run("x").succeeded
    raw = [event for event in claude.events if event.kind is EventKind.RAW]
    assert [event.source for event in raw] == ["garden", "system/pruned"]
    assert raw[0].data["payload"]["litres"] == 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("'elicitation'", {"action": "decline"}),
        ("'can_use_tool', tool_name='Bash', input=None", {"behavior": "allow", "updatedInput": {}}),
        ("'garden/ask'", None),
    ],
)
def test_every_question_is_answered(make: Make, asked: str, expected: Any) -> None:
    claude = make(f"message(json.dumps(ask({asked}))); finish()")
    answer = json.loads(claude.run("x").message)
    assert answer["request_id"] == "theirs-1"
    assert answer.get("response") == expected
    assert ("error" in answer) == (expected is None)


def test_what_subagents_say_is_not_the_answer(make: Make) -> None:
    claude = make("message('mine'); message('theirs', parent_tool_use_id='t'); finish()")
    assert claude.run("x").message == "mine"
    assert claude.texts(EventKind.MESSAGE) == "mine\ntheirs"


def test_the_error_in_the_result_counts_and_not_what_it_is_called(make: Make) -> None:
    result = make("finish(is_error=True, result='API Error: socket closed')").run("x")
    assert "broke off" in (result.error or "")


def test_an_end_for_want_of_turns(make: Make) -> None:
    result = make("finish(is_error=True, subtype='error_max_turns')").run("x")
    assert "turns" in (result.error or "")


def test_a_death_in_the_middle_is_told_with_its_last_words(make: Make) -> None:
    claude = make("""
        message("half")
        print("panic:\\nno more water", file=sys.stderr)
        sys.exit(101)
    """)
    result = claude.run("x")
    assert result.error == "claude ended with status 101; panic:; no more water"
    assert (result.message, result.thread_id) == ("half", "session-1")


def test_a_death_before_the_turn(make: Make) -> None:
    result = make(more="print('bad option', file=sys.stderr); sys.exit(2)").run("x")
    assert result.error == "claude ended with status 2; bad option"


def test_a_death_is_told_though_somebody_holds_its_output(make: Make) -> None:
    sleep = long_sleep()
    claude = make(f"subprocess.Popen({sleep.split()}, start_new_session=True); os._exit(7)")
    assert "ended with status 7" in (claude.run("x").error or "")
    assert running(sleep) == []


def test_output_that_ends_while_the_program_goes_on(make: Make) -> None:
    sleep = long_sleep()
    claude = make(f"os.close(1); os.execvp('sleep', {sleep.split()})")
    assert "claude stopped answering" in (claude.run("x").error or "")
    assert running(sleep) == []


@pytest.mark.parametrize(
    "more", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"]
)
def test_stop_while_it_hangs(make: Make, more: str) -> None:
    """It answers nothing: neither the interrupt, nor the end of its input, nor a signal."""
    sleep = long_sleep()
    claude = make(f"{more}; subprocess.run({sleep.split()})".removeprefix("; "))
    claude.start("x")
    await_true(lambda: running(sleep))
    claude.stop.request(StopReason.TIMED_OUT)
    assert claude.finish().error == "stopped: timed_out"
    assert running(sleep) == []


def test_stop_while_it_does_not_read(make: Make) -> None:
    """A long prompt fills the pipe; a stop must not wait behind it."""
    sleep = long_sleep()
    more = f"""
        def on_initialize(request):
            answer(request, response={{}})
            os.execvp("sleep", {sleep.split()})
    """
    claude = make(more=more)
    claude.start("x" * 1_000_000)
    await_true(lambda: running(sleep))
    claude.stop.request(StopReason.CANCELLED)
    assert claude.finish().error == "stopped: cancelled"
    assert running(sleep) == []


def test_a_refusal_to_begin_is_one_line(make: Make) -> None:
    claude = make(more="def on_initialize(it): answer(it, subtype='error', error='no\\nway')")
    assert claude.run("x").error == "claude: initialize: no way"


def test_a_claude_that_does_not_work_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "bin", "pass", "print('broken'); sys.exit(1)")
    readiness = ClaudeAgent().readiness()
    assert readiness.installed
    assert not readiness.logged_in
    assert "\n" not in readiness.detail
    assert readiness.remedy == "npm install -g @anthropic-ai/claude-code"


def test_a_claude_that_knows_no_question_about_logins_may_be_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "bin", "pass")
    readiness = ClaudeAgent().readiness()
    assert (readiness.version, readiness.logged_in, readiness.remedy) == ("0.0.1", None, "")


def test_a_claude_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not ClaudeAgent().readiness().installed
    with pytest.raises(AgentUnavailable, match="npm install -g @anthropic-ai/claude-code"):
        Round(ClaudeAgent(), tmp_path, "none").run("x")
