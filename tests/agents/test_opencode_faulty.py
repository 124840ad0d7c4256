"""An OpenCode that misbehaves: another protocol, a lost stream, missed ends, and ways to die."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.opencode import OpenCodeAgent
from sideshoot.agents.opencode.stream import decode
from sideshoot.errors import AgentUnavailable
from support.opencode_standin import install
from support.processes import await_true, long_sleep, running

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A round with a stand-in that does a piece of Python in its turn."""

    def round_with(turn: str = "answer_all(); idle()", more: str = "") -> Round:
        install(monkeypatch, tmp_path / "bin", turn, more)
        folder = tmp_path / "work"
        folder.mkdir()
        agent = OpenCodeAgent(patience_s=0.5, retries_s=5, look_s=0.2)
        return Round(agent, folder, f"faulty{os.getpid()}")

    return round_with


def test_what_it_says_is_told_and_the_unknown_is_kept(make: Make) -> None:
    opencode = make("""
        events.put(b"data: {broken")
        events.put(b": a comment")
        events.put(b"data: [1, 2]")
        say("garden.watered", litres=3)
        say("plugin.added", id="x")
        answer_all(); idle()
    """)
    result = opencode.run("x")
    assert (result.succeeded, result.message) == (True, "fine")
    raw = [event for event in opencode.events if event.kind is EventKind.RAW]
    assert [event.source for event in raw] == ["garden.watered"]
    assert opencode.of(EventKind.MESSAGE) == [{"text": "fine", "final": True}]


def test_an_event_may_have_several_lines_of_data() -> None:
    lines = [
        b"event: x\n",
        b'data: {"a":\r\n',
        b"data:1}\n",
        b"\n",
        b"data: {}\n",
        b"\n",
        b"data: 1\n",
    ]
    assert list(decode(lines)) == [{"a": 1}, {}]


def test_a_stream_that_breaks_off_is_opened_anew(make: Make) -> None:
    opencode = make("hang_up(); answer_all(); idle()")
    assert opencode.run("x").message == "fine"


def test_an_end_that_nobody_tells_is_found(make: Make) -> None:
    opencode = make("text(assistant('msg_1', told=False), 'quiet', told=False)")
    result = opencode.run("x")
    assert (result.succeeded, result.message) == (True, "quiet")
    assert opencode.texts(EventKind.MESSAGE) == "quiet"


def test_a_session_that_is_busy_is_not_over(make: Make) -> None:
    opencode = make("""
        status["ses_1"] = {"type": "busy"}
        time.sleep(1)
        answer_all("late")
        status.clear()
    """)
    assert opencode.run("x").message == "late"


@pytest.mark.parametrize("told", [True, False], ids=["told", "missed"])
def test_every_question_is_answered(make: Make, *, told: bool) -> None:
    opencode = make(f"""
        status["ses_1"] = {{"type": "busy"}}
        requests = [
            ("permission.asked", dict(id="per_1", permission="edit", patterns=["a.txt"])),
            ("permission.asked", dict(id="per_2", permission="bash", patterns=["rm -rf /"])),
            ("question.asked", dict(id="que_1", questions=[dict(question="Which garden?")])),
        ]
        for kind, request in requests:
            say(kind, **request, sessionID="ses_child") if {told} else asked.append(request)
        heard = {{}}
        while len(heard) < 3:
            path, body = answers.get()
            heard[path] = body.get("reply")
        asked.clear()
        answer_all(json.dumps(heard)); idle()
    """)
    answer = json.loads(opencode.run("x").message)
    assert answer == {
        "/permission/per_1/reply": "once",
        "/permission/per_2/reply": "reject",
        "/question/que_1/reject": None,
    }
    warnings = opencode.texts(EventKind.WARNING)
    assert "(bash): rm -rf /" in warnings
    assert "Which garden?" in warnings
    assert "a.txt" not in warnings


def test_what_subagents_say_is_not_the_answer(make: Make) -> None:
    opencode = make("""
        answer_all("mine")
        text(assistant("msg_2", session="ses_2"), "theirs", session="ses_2")
        say("session.idle", sessionID="ses_2")
        del messages[1:]
        idle()
    """)
    assert opencode.run("x").message == "mine"
    assert opencode.texts(EventKind.MESSAGE) == "mine\ntheirs"


def test_an_error_that_only_the_body_holds(make: Make) -> None:
    error = {"name": "APIError", "data": {"message": "no", "statusCode": 401}}
    opencode = make(f"assistant('msg_1', error={error}); idle()")
    assert "opencode auth login" in (opencode.run("x").error or "")


def test_an_error_that_only_the_stream_holds(make: Make) -> None:
    error = {"name": "UnknownError", "data": {"message": "Model not found: a/b\n   at <stack>"}}
    opencode = make(f"say('session.error', error={error}); idle()")
    result = opencode.run("x")
    assert not result.succeeded
    assert "no such model" in (result.error or "")
    assert "stack" not in (result.error or "")


@pytest.mark.parametrize(
    ("facts", "words"),
    [("finish='length'", "longer"), ("finish='tool-calls'", "before"), ("completed=0", "middle")],
)
def test_an_answer_that_is_no_end(make: Make, facts: str, words: str) -> None:
    opencode = make(f"text(assistant('msg_1', {facts}), 'half'); idle()")
    result = opencode.run("x")
    assert (result.succeeded, result.message) == (False, "half")
    assert words in (result.error or "")


def test_retries_are_told_and_have_an_end(make: Make) -> None:
    opencode = make("""
        for wait in (1, 60):
            at = (time.time() + wait) * 1000
            retry = {"type": "retry", "attempt": wait, "message": "slow down", "next": at}
            say("session.status", status=retry)
    """)
    result = opencode.run("x")
    assert "try again later (slow down)" in (result.error or "")
    assert opencode.texts(EventKind.WARNING) == "\n".join(["trying again: slow down"] * 2)


def test_a_session_of_another_folder_is_moved(make: Make) -> None:
    opencode = make(
        "answer_all(json.dumps(calls)); idle()",
        """
        calls = []
        def route(method, path, body):
            if (method, path) == ("GET", "/session/ses_1"):
                return {"id": "ses_1", "directory": "/gone"}
            if "move" in path or method == "PATCH":
                calls.append([path, body])
            return usual(method, path, body)
        """,
    )
    calls = json.loads(opencode.run("x", thread_id="ses_1").message)
    assert calls[0] == [
        "/experimental/control-plane/move-session",
        {"sessionID": "ses_1", "destination": {"directory": str(opencode.folder)}},
    ]
    assert calls[1][0] == "/session/ses_1"
    assert {"permission": "external_directory", "pattern": "*", "action": "deny"} in calls[1][1][
        "permission"
    ]


def test_a_protocol_that_is_not_known(make: Make) -> None:
    """OpenCode 2 answers what it does not know with a page, and 200."""
    opencode = make(more="def route(*_): return 200, b'<!doctype html>'")
    with pytest.raises(AgentUnavailable, match=r"`npm install -g opencode-ai@1`"):
        opencode.run("x")


def test_a_death_before_it_listens(make: Make) -> None:
    opencode = make(more="print('\\x1b[91mbad config\\x1b[0m', file=sys.stderr); sys.exit(2)")
    assert opencode.run("x").error == "opencode serve ended with status 2; bad config"


def test_a_death_in_the_middle(make: Make) -> None:
    opencode = make("""
        answer_all("half")
        time.sleep(0.3)
        print("no more water", file=sys.stderr, flush=True)
        os._exit(7)
    """)
    result = opencode.run("x")
    assert result.error == "opencode serve ended with status 7; no more water"
    assert result.message == "half"
    assert result.thread_id == "ses_1"


def test_a_refusal_is_one_line(make: Make) -> None:
    opencode = make(
        more="""
        def route(method, path, body):
            if (method, path) == ("POST", "/session"):
                return 400, json.dumps({"data": {"message": "no\\nsuch rule"}}).encode()
            return usual(method, path, body)
        """
    )
    assert opencode.run("x").error == "opencode: /session: no such rule"


@pytest.mark.parametrize("where", ["/global/health", "/session", "/session/ses_1/abort"])
def test_stop_while_it_does_not_answer(make: Make, where: str) -> None:
    """Nor does it end when it is told to."""
    sleep = long_sleep()
    opencode = make(
        f"subprocess.run({sleep.split()})",
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        def route(method, path, body):
            if path == {where!r}:
                subprocess.run({sleep.split()})
            return usual(method, path, body)
        """,
    )
    opencode.start("x")
    await_true(lambda: running(sleep))
    opencode.stop.request(StopReason.TIMED_OUT)
    assert opencode.finish().error == "stopped: timed_out"
    assert running(sleep) == []


def test_an_opencode_that_does_not_work_is_not_ready(make: Make) -> None:
    make(more="print('broken', file=sys.stderr); sys.exit(1)")
    readiness = OpenCodeAgent().readiness()
    assert (readiness.installed, readiness.logged_in) == (True, None)
    assert readiness.remedy == "npm install -g opencode-ai@1"


def test_an_opencode_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not OpenCodeAgent().readiness().installed
    with pytest.raises(AgentUnavailable, match="npm install -g opencode-ai@1"):
        Round(OpenCodeAgent(), tmp_path, "none").run("x")
