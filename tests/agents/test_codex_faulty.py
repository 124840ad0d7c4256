"""A Codex that misbehaves: noise, questions, odd messages, and every way to die."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.codex import CodexAgent
from sideshoot.errors import AgentUnavailable
from support.processes import await_true, long_sleep, running
from support.standin import install

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A round with a stand-in that does a piece of Python in its turn."""

    def round_with(turn: str = "finish()", more: str = "") -> Round:
        install(monkeypatch, tmp_path / "bin", turn, more)
        folder = tmp_path / "work"
        folder.mkdir()
        return Round(CodexAgent(patience_s=0.3), folder, f"faulty{os.getpid()}")

    return round_with


def test_noise_on_the_wire_is_kept_and_does_no_harm(make: Make) -> None:
    codex = make(r"""
        write(b"\x1b[2J\x1b[31mWARN\x1b[0m something\n\n\r\n")
        write(b"\x1b]0;title\x07" + json.dumps({"method": "turn/plan/updated", "params": {
            "plan": [{"step": "dig", "status": "inProgress"}]}}).encode() + b"\x1b[0m\r\n")
        write(b"[1, 2]\n12\nnull\n{broken\n\xff\xfe\n" + b"[" * 100_000 + b"\n")
        write(b'log: {"method": "item/completed", "params": {"threadId": "thread-1",')
        write(b' "item": {"type": "agentMessage", "text": "still here"}}}\n')
        say({"id": 999, "result": {}})
        say({"id": None, "error": {"code": 1, "message": "x"}})
        finish()
    """)
    result = codex.run("x")
    assert (result.succeeded, result.message) == (True, "still here")
    assert codex.of(EventKind.PLAN) == [{"steps": [{"text": "dig", "status": "in_progress"}]}]
    noise = [data["payload"] for data in codex.of(EventKind.RAW)]
    assert "WARN" in noise[0]
    assert "\\xff\\xfe" in noise


def test_lines_of_any_size_are_read(make: Make) -> None:
    result = make("message('x' * 20_000_000); finish()").run("x")
    assert len(result.message) == 20_000_000


def test_messages_without_a_name_are_kept_raw(make: Make) -> None:
    codex = make("""
        notice("garden/watered", litres=3)
        notice("item/completed", item={"type": "pruning", "id": "p"})
        notice("codex/event/agent_message", text="twice")
        say({"method": "garden/bare"})
        finish()
    """)
    assert codex.run("x").succeeded
    raw = [event for event in codex.events if event.kind is EventKind.RAW]
    assert [event.source for event in raw] == ["garden/watered", "pruning", "garden/bare"]
    assert raw[0].data["payload"]["litres"] == 3


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("item/commandExecution/requestApproval", {"decision": "decline"}),
        ("item/fileChange/requestApproval", {"decision": "decline"}),
        ("item/permissions/requestApproval", {"permissions": {}, "scope": "turn"}),
        ("item/tool/requestUserInput", {"answers": {}}),
        ("mcpServer/elicitation/request", {"action": "decline", "content": None, "_meta": None}),
        ("execCommandApproval", {"decision": "denied"}),
        ("applyPatchApproval", {"decision": "denied"}),
    ],
)
def test_every_question_is_answered_and_told(
    make: Make, method: str, expected: dict[str, Any]
) -> None:
    codex = make(f"message(json.dumps(call({method!r}, command='rm -rf /'))); finish()")
    answer = json.loads(codex.run("x").message)
    assert answer == {"id": "ours-1", "result": expected}
    assert "rm -rf /" in codex.texts(EventKind.WARNING)


def test_a_tool_call_and_an_unknown_question_are_answered(make: Make) -> None:
    codex = make("""
        tool, clock, odd = call("item/tool/call"), call("currentTime/read"), call("garden/ask")
        message(json.dumps([tool["result"]["success"], clock["result"], odd["error"]["code"]]))
        finish()
    """)
    success, clock, code = json.loads(codex.run("x").message)
    assert (success, code) == (False, -32601)
    assert clock["currentTimeAt"] > 1_000_000_000


def test_an_error_that_is_tried_again_is_no_failure(make: Make) -> None:
    codex = make("""
        notice("error", error={"message": "hiccup"}, willRetry=True)
        message("fine")
        finish()
    """)
    assert codex.run("x").succeeded
    assert codex.texts(EventKind.WARNING) == "hiccup"
    assert codex.of(EventKind.ERROR) == []


def test_a_turn_that_somebody_else_interrupted(make: Make) -> None:
    result = make("message('half'); finish('interrupted')").run("x")
    assert (result.succeeded, result.error) == (False, "the turn was interrupted")
    assert result.message == "half"


def test_what_subagents_say_is_not_the_answer(make: Make) -> None:
    codex = make("""
        message("mine")
        other = {"threadId": "thread-2", "turnId": "t"}
        item = {"type": "agentMessage", "text": "theirs"}
        say({"method": "item/completed", "params": {**other, "item": item}})
        turn = {"id": "t", "status": "failed"}
        say({"method": "turn/completed", "params": {**other, "turn": turn}})
        finish()
    """)
    assert codex.run("x").message == "mine"
    assert codex.texts(EventKind.MESSAGE) == "mine\ntheirs"


def test_a_death_in_the_middle_is_told_with_its_last_words(make: Make) -> None:
    codex = make("""
        message("half")
        print("WARNING: proceeding, even though we could not update PATH", file=sys.stderr)
        print("thread 'main' panicked:\\nno more water", file=sys.stderr)
        sys.exit(101)
    """)
    result = codex.run("x")
    assert not result.succeeded
    error = result.error or ""
    assert error == "codex app-server ended with status 101; thread 'main' panicked:; no more water"
    assert "\n" not in error
    assert result.message == "half"
    assert result.thread_id == "thread-1"


def test_a_death_before_the_turn(make: Make) -> None:
    result = make(more="print('bad config', file=sys.stderr); sys.exit(2)").run("x")
    assert result.error == "codex app-server ended with status 2; bad config"


def test_a_death_is_told_though_somebody_holds_its_output(make: Make) -> None:
    sleep = long_sleep()
    codex = make(f"subprocess.Popen({sleep.split()}, start_new_session=True); os._exit(7)")
    assert "ended with status 7" in (codex.run("x").error or "")
    assert running(sleep) == []


def test_output_that_ends_while_the_program_goes_on(make: Make) -> None:
    sleep = long_sleep()
    codex = make(f"os.close(1); os.execvp('sleep', {sleep.split()})")
    assert "codex app-server" in (codex.run("x").error or "")
    assert running(sleep) == []


@pytest.mark.parametrize(
    "more", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"]
)
def test_stop_while_it_hangs(make: Make, more: str) -> None:
    """It answers nothing: neither the interrupt, nor the end of its input, nor a signal."""
    sleep = long_sleep()
    codex = make(f"{more}; subprocess.run({sleep.split()})".removeprefix("; "))
    codex.start("x")
    await_true(lambda: running(sleep))
    codex.stop.request(StopReason.TIMED_OUT)
    assert codex.finish().error == "stopped: timed_out"
    assert running(sleep) == []


def test_stop_while_it_does_not_read(make: Make) -> None:
    """A long prompt fills the pipe; a stop must not wait behind it."""
    sleep = long_sleep()
    codex = make(
        more=f"""
        def on_resume_default(request):
            on_resume(request)
            os.execvp("sleep", {sleep.split()})
    """
    )
    codex.start("x" * 1_000_000)
    await_true(lambda: running(sleep))
    codex.stop.request(StopReason.CANCELLED)
    assert codex.finish().error == "stopped: cancelled"
    assert running(sleep) == []


def test_a_thread_that_is_not_yet_written_is_asked_for_again(make: Make) -> None:
    codex = make(
        "message(f'after {tries}'); finish()",
        """
        tries = 0
        def on_resume(request):
            global tries
            tries += 1
            if tries < 3:
                return refuse(request, "failed to load rollout: file is empty")
            on_resume_default(request)
        """,
    )
    assert codex.run("x", thread_id="thread-1").message == "after 3"


def test_a_thread_that_another_codex_holds(make: Make) -> None:
    codex = make(
        more="""
        def on_resume(request):
            refuse(request, "thread thread-1 already has an active writer")
        """
    )
    assert "another Codex has this conversation open" in (
        codex.run("x", thread_id="thread-1").error or ""
    )


def test_a_refusal_is_one_line(make: Make) -> None:
    codex = make(more="def on_turn(request): refuse(request, 'no\\nsuch effort'); sys.exit()")
    assert codex.run("x").error == "codex: turn/start: no such effort"


def test_a_codex_that_does_not_work_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "bin", more="print('broken', file=sys.stderr); sys.exit(1)")
    readiness = CodexAgent().readiness()
    assert readiness.installed
    assert not readiness.logged_in
    assert "\n" not in readiness.detail
    assert readiness.remedy == "npm install -g @openai/codex"


def test_a_codex_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not CodexAgent().readiness().installed
    with pytest.raises(AgentUnavailable, match="npm install -g @openai/codex"):
        Round(CodexAgent(), tmp_path, "none").run("x")
