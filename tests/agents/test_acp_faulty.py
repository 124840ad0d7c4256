"""An agent behind the Agent Client Protocol that misbehaves, or can do less than others."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.acp import AcpAgent
from sideshoot.agents.base import EventKind, StopReason
from sideshoot.errors import AgentUnavailable
from sideshoot.model import Driver
from support.processes import await_true, long_sleep, running

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]

_PROGRAM = """\
#!{python}
import json, os, subprocess, sys, time
capabilities, offers, version = {{}}, {{}}, 1

def write(raw):
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()

def say(**message):
    write(json.dumps({{"jsonrpc": "2.0", **message}}).encode() + b"\\n")

def answer(request, **result):
    say(id=request["id"], result=result)

def refuse(request, code=-32603, message="Internal error", data=None):
    say(id=request["id"], error={{"code": code, "message": message, "data": data}})

def update(sort, /, **facts):
    say(method="session/update", params={{"sessionId": "s1", "update": {{"sessionUpdate": sort, **facts}}}})

def message(text, kind="agent_message_chunk", **facts):
    update(kind, content={{"type": "text", "text": text}}, **facts)

def ask(method, **params):
    say(id=0, method=method, params=params)
    return json.loads(sys.stdin.readline())

def permission(call, *kinds):
    options = [{{"optionId": "o" + kind, "name": kind, "kind": kind}} for kind in kinds]
    answered = ask("session/request_permission", sessionId="s1", toolCall=call, options=options)
    return answered["result"]["outcome"]

def finish(reason="end_turn", **more):
    answer(turn_request, stopReason=reason, **more)

def on_load(request):
    answer(request)

{script}

for line in sys.stdin:
    request = json.loads(line)
    match request.get("method"):
        case "initialize":
            answer(request, protocolVersion=version, agentCapabilities=capabilities,
                   agentInfo={{"name": "pruner", "version": "7"}},
                   authMethods=[{{"id": "x", "description": "Run `pruner login`"}}])
        case "session/new": answer(request, sessionId="s1", **offers)
        case "session/load" | "session/resume": on_load(request)
        case "session/prompt":
            turn_request, prompt = request, request["params"]["prompt"][0]["text"]
            turn()
        case "session/cancel": pass
        case _: answer(request)
"""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A round with a stand-in that does a piece of Python in its turn."""

    def round_with(turn: str = "message('done'); finish()", more: str = "") -> Round:
        body = textwrap.indent(textwrap.dedent(turn).strip(), "    ")
        script = f"{textwrap.dedent(more)}\ndef turn():\n{body}"
        program = tmp_path / "pruner"
        program.write_text(_PROGRAM.format(python=sys.executable, script=script))
        program.chmod(0o755)
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        agent = AcpAgent("pruner", Driver("acp", (str(program),)), patience_s=0.3)
        return Round(agent, folder, f"pruner{os.getpid()}")

    return round_with


# -- permissions

CALL: dict[str, Any] = {"toolCallId": "t1", "title": "prune", "status": "pending"}


@pytest.mark.parametrize(
    ("call", "kinds", "chosen"),
    [
        ({"kind": "execute"}, ("allow_always", "allow_once", "reject_once"), "oallow_once"),
        ({"kind": "execute"}, ("allow_always", "reject_once"), "oallow_always"),
        ({"kind": "edit", "locations": [{"path": "new.txt"}]}, ("allow_once",), "oallow_once"),
        ({"kind": "edit", "locations": [{"path": "/etc/passwd"}]}, ("allow_once", "reject_once"), "oreject_once"),
        ({"kind": "edit", "content": [{"type": "diff", "path": "../x"}]}, ("reject_always",), "oreject_always"),
        ({"kind": "delete", "locations": [{"path": ".git/config"}]}, ("reject_once",), "oreject_once"),
        ({"kind": "edit", "locations": [{"path": "/etc/passwd"}]}, ("allow_once",), None),
        ({}, ("allow_once",), "oallow_once"),
    ],
)  # fmt: skip
def test_it_is_answered_by_kind(
    make: Make, call: dict[str, Any], kinds: tuple[str, ...], chosen: str | None
) -> None:
    asked = {**CALL, **call}
    pruner = make(f"message(json.dumps(permission({asked!r}, *{kinds!r}))); finish()")
    answer = json.loads(pruner.run("x").message)
    assert answer.get("optionId") == chosen
    assert answer["outcome"] == ("selected" if chosen else "cancelled")
    refused = chosen is None or "reject" in chosen
    assert bool(pruner.of(EventKind.WARNING)) == refused


def test_what_an_earlier_update_told_counts(make: Make) -> None:
    """A request for permission may name the call alone."""
    pruner = make("""
        update("tool_call", toolCallId="t1", kind="edit", locations=[{"path": "/etc/passwd"}])
        message(json.dumps(permission({"toolCallId": "t1"}, "allow_once", "reject_once")))
        finish()
    """)
    assert "oreject_once" in pruner.run("x").message


def test_for_looking_only_reads_alone_are_granted(make: Make) -> None:
    pruner = make("""
        kinds = ("allow_once", "reject_once")
        answers = [permission({"toolCallId": k, "kind": k}, *kinds)["optionId"]
                   for k in ("read", "search", "execute", "edit", "switch_mode", "other")]
        message(" ".join(answers)); finish()
    """)
    answers = pruner.run("x", read_only=True).message.split()
    assert answers == ["oallow_once"] * 2 + ["oreject_once"] * 4
    assert "no mode for looking only" in pruner.texts(EventKind.WARNING)


def test_all_refused_is_a_failure(make: Make) -> None:
    pruner = make("""
        permission({"toolCallId": "t", "kind": "edit", "locations": [{"path": "/x"}]}, "reject_once")
        message("I could not."); finish()
    """)
    assert "all that pruner wanted to do was refused" in str(pruner.run("x").error)


def test_a_mode_that_the_user_chose_lasts(make: Make) -> None:
    script = """
        kinds = ("allow_once", "reject_once")
        message(permission({"toolCallId": "t", "kind": "switch_mode"}, *kinds)["optionId"]); finish()
    """
    offers = {"currentModeId": "plan", "availableModes": [{"id": "plan"}]}
    planner = make(script, f"offers = {{'modes': {offers!r}}}")
    result = planner.run("x", mode="plan")
    assert (result.error, result.message) == (None, "oreject_once")
    assert "chosen this mode" in planner.texts(EventKind.WARNING)
    assert make(script).run("x").message == "oallow_once"


def test_what_is_changed_outside_unasked_is_told(make: Make) -> None:
    pruner = make("""
        path = os.path.join(os.getcwd(), "beds.py")
        for number, (status, place) in enumerate([("completed", path), ("failed", "/srv/no"),
                                                  ("completed", "/srv/yes")]):
            update("tool_call", toolCallId=str(number), kind="edit", status=status,
                   locations=[{"path": place}])
        finish()
    """)
    assert pruner.run("x").succeeded
    assert pruner.texts(EventKind.WARNING) == (
        "pruner has changed /srv/yes without asking; that is not in the workspace"
    )


def test_what_we_do_not_offer_is_refused_and_told(make: Make) -> None:
    """With files offered, Gemini CLI (0.61) makes no new ones."""
    more = """
        base_answer = answer
        def answer(request, **result):
            global offered
            offered = request["params"].get("clientCapabilities", offered)
            base_answer(request, **result)
        offered = None
    """
    pruner = make(
        "message(json.dumps([offered, ask('fs/read_text_file', path='x')])); finish()", more
    )
    offered, answered = json.loads(pruner.run("x").message)
    assert offered["fs"] == {"readTextFile": False, "writeTextFile": False}
    assert offered["terminal"] is False
    assert answered["error"]["code"] == -32601
    assert "fs/read_text_file" in pruner.texts(EventKind.WARNING)


# -- what it tells


def test_chunks_become_whole_messages(make: Make) -> None:
    pruner = make("""
        message("one ", messageId="a"); message("two", messageId="a"); message("three", messageId="b")
        message("hmm", kind="agent_thought_chunk")
        update("plan", entries=[{"content": "dig", "status": "completed"}, {"content": "water"}])
        message("four"); finish(usage={"inputTokens": 3, "outputTokens": 2, "totalTokens": 5})
    """)
    result = pruner.run("x")
    assert pruner.texts(EventKind.MESSAGE) == "one two\nthree\nfour"
    assert pruner.texts(EventKind.REASONING) == "hmm"
    assert result.message == "four"
    steps = pruner.of(EventKind.PLAN)[0]["steps"]
    assert [step["status"] for step in steps] == ["completed", "pending"]
    assert result.usage == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def test_calls_are_put_together_from_their_updates(make: Make) -> None:
    pruner = make("""
        update("tool_call", toolCallId="1", title="bash", kind="execute", status="pending")
        update("tool_call_update", toolCallId="1", rawInput={"command": "ls"}, status="in_progress")
        update("tool_call_update", toolCallId="1", status="in_progress")
        update("tool_call_update", toolCallId="1", status="failed", rawOutput={"metadata": {"exit": 4}})
        path = os.path.join(os.getcwd(), "beds.py")
        update("tool_call", toolCallId="2", kind="edit", status="completed", locations=[{"path": path}])
        update("tool_call", toolCallId="3", title="looked up", kind="fetch", status="completed")
        finish()
    """)
    assert pruner.run("x").succeeded
    assert pruner.of(EventKind.COMMAND) == [
        {"command": "ls", "status": "started"},
        {"command": "ls", "status": "finished", "exit_status": 4},
    ]
    assert [data["paths"] for data in pruner.of(EventKind.FILE_CHANGE)] == [["beds.py"]] * 2
    assert pruner.of(EventKind.TOOL)[-1] == {
        "name": "fetch", "status": "finished", "detail": "looked up",
    }  # fmt: skip


def test_noise_and_unknown_messages_do_no_harm(make: Make) -> None:
    pruner = make(r"""
        write(b"\x1b[31mWARN\x1b[0m x\n[1]\n{broken\n\xff\n")
        update("pruned", twigs=3)
        say(method="garden/news"); say(method="_garden/own"); say(method="session/update")
        update("tool_call"); update("plan", entries=7); message(None)
        message("still here"); finish()
    """)
    assert pruner.run("x").message == "still here"
    sources = [event.source for event in pruner.events if event.kind is EventKind.RAW]
    assert {"noise", "pruned", "garden/news"} <= set(sources)
    assert "_garden/own" not in sources


def test_a_chatty_agent_does_not_wait_for_a_reader(make: Make) -> None:
    pruner = make("print('chatter ' * 1_000_000, file=sys.stderr); message('done'); finish()")
    assert pruner.run("x").message == "done"


def test_the_prompt_arrives_untouched(make: Make) -> None:
    prompt = "--model x -- \"quoted\" 'single' $HOME `id` \\n\n\ttab ü 🌱 " + "x" * 100_000 + "\n"
    assert make("message(prompt); finish()").run(prompt).message == prompt


# -- how it ends


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ("message('x'); finish('max_tokens')", "greatest length"),
        ("message('x'); finish('refusal')", "refused"),
        ("message('x'); finish('cancelled')", "was cancelled"),
        ("message('x'); finish('moonshine')", "moonshine"),
        ("finish()", "without a word"),
        ("refuse(turn_request, data={'details': 'no\\nwater'})", "Internal error: no water"),
        ("refuse(turn_request, -32000, 'Authentication required')", "not logged in"),
        ("refuse(turn_request, 429, 'slow down')", "no more requests"),
        ("refuse(turn_request, message='API Error: Request rejected (429)')", "no more requests"),
        (
            "refuse(turn_request, message='Failed to authenticate. API Error: 401 x')",
            "login was refused",
        ),
        ("refuse(turn_request, message='API Error: 529 overloaded')", "the model provider failed"),
        ("refuse(turn_request, message='rows 401 to 500 are bad')", "pruner: rows 401"),
    ],
)
def test_a_turn_that_did_not_come_to_its_end_has_failed(make: Make, turn: str, words: str) -> None:
    result = make(turn).run("x")
    assert not result.succeeded
    assert words in str(result.error)
    assert "\n" not in str(result.error)


@pytest.mark.parametrize(
    ("category", "title", "words"),
    [
        ("access", "no", "login was refused (no)"),
        ("limit", "slow down", "no more requests for now; try again later (slow down)"),
        ("limit", "the context window is full", "start afresh with --fresh"),
        ("service", "out of order", "the model provider failed"),
        ("connection", "cut off", "the model provider failed"),
        ("request", "bad", "pruner: bad"),
        (None, None, "pruner: no reason given"),
    ],
)
def test_a_failure_beside_a_turn_that_seems_well_is_one(
    make: Make, category: str | None, title: str | None, words: str
) -> None:
    """So codex-acp tells what its model's provider failed with."""
    failure = {"category": category, "severity": "error", "title": title}
    meta = {"jetbrains": {"air": {"version": 1, "sessionFailure": failure}}}
    result = make(f"message('x'); finish(_meta={meta!r})").run("x")
    assert not result.succeeded
    assert words in str(result.error)


def test_a_failure_that_is_got_over_is_a_warning(make: Make) -> None:
    failure = {"category": "connection", "severity": "warning", "title": "Reconnecting... 1/5"}
    meta = {"jetbrains": {"air": {"sessionFailure": failure}}}
    pruner = make(f"""
        update("session_info_update", _meta={meta!r}); update("session_info_update", title="Beds")
        message("x"); finish(_meta={meta!r})
    """)
    assert pruner.run("x").succeeded
    assert pruner.texts(EventKind.WARNING) == "pruner: Reconnecting... 1/5"


def test_a_death_in_the_middle_is_told_with_its_last_words(make: Make) -> None:
    last = "print('\\x1b[91mno more water\\x1b[0m', file=sys.stderr)"
    pruner = make(f"message('half'); {last}; sys.exit(101)")
    result = pruner.run("x")
    assert result.error == "pruner ended with status 101; no more water"
    assert result.thread_id == "s1"


def test_stop_while_it_hangs(make: Make) -> None:
    sleep = long_sleep()
    pruner = make(f"subprocess.run({sleep.split()})")
    pruner.start("x")
    await_true(lambda: running(sleep))
    pruner.stop.request(StopReason.TIMED_OUT)
    assert pruner.finish().error == "stopped: timed_out"
    assert running(sleep) == []


def test_another_version_of_the_protocol_is_refused(make: Make) -> None:
    with pytest.raises(AgentUnavailable, match="version 2 of the Agent Client Protocol"):
        make(more="version = 2").run("x")


def test_who_is_not_logged_in_is_told_how(make: Make) -> None:
    more = """
        def on_load(request): refuse(request, -32000, "Authentication required")
        capabilities = {"loadSession": True}
    """
    with pytest.raises(AgentUnavailable, match="Run `pruner login`"):
        make(more=more).run("x", thread_id="s0")


# -- going on, and setting up


def test_what_is_replayed_is_not_told_again(make: Make) -> None:
    more = """
        capabilities = {"loadSession": True}
        def on_load(request): message("old"); answer(request)
    """
    pruner = make("message('new'); finish()", more)
    result = pruner.run("x", thread_id="s1")
    assert (result.message, result.thread_id) == ("new", "s1")
    assert pruner.texts(EventKind.MESSAGE) == "new"


def test_who_can_not_go_on_begins_anew_and_says_so(make: Make) -> None:
    pruner = make()
    assert pruner.run("x", thread_id="s0").thread_id == "s1"
    assert "can't go on with a conversation" in pruner.texts(EventKind.WARNING)


def test_a_conversation_that_is_gone(make: Make) -> None:
    more = """
        capabilities = {"sessionCapabilities": {"resume": {}}}
        def on_load(request): refuse(request, message="no such session")
    """
    assert "start afresh with --fresh" in str(make(more=more).run("x", thread_id="s0").error)


@pytest.mark.parametrize(
    ("offers", "facts", "words"),
    [
        ({}, {"model": "m"}, "takes no model"),
        ({}, {"effort": "low"}, "takes no effort"),
        ({}, {"mode": "plan"}, "no modes to choose from"),
        ({"models": {"availableModels": [{"modelId": "a"}]}}, {"model": "m"}, "no model 'm'; it has a"),
        ({"modes": {"currentModeId": "a", "availableModes": [{"id": "a"}]}}, {"mode": "m"}, "no mode 'm'; it has a"),
    ],
)  # fmt: skip
def test_what_it_can_not_be_told_is_refused(
    make: Make, offers: dict[str, Any], facts: dict[str, Any], words: str
) -> None:
    with pytest.raises(AgentUnavailable, match=words):
        make(more=f"offers = {offers!r}").run("x", **facts)


def test_a_mode_in_which_no_work_gets_done_is_left(make: Make) -> None:
    modes = {"currentModeId": "read-only", "availableModes": [{"id": "read-only"}, {"id": "auto"}]}
    more = f"""
        offers = {{"modes": {modes!r}}}
        chosen = []
        base_answer = answer
        def answer(request, **result):
            chosen.append(request.get("params", {{}}).get("modeId"))
            base_answer(request, **result)
    """
    assert "auto" in make("message(str(chosen)); finish()", more).run("x").message
