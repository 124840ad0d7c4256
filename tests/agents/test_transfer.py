"""Real agents, offline, hand their conversations on: the next request of the other one holds them."""

from __future__ import annotations

import itertools
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.claude import ClaudeAgent
from sideshoot.agents.claude.transfer import ClaudeParty, source_of
from sideshoot.agents.codex import CodexAgent
from sideshoot.agents.codex.transfer import CodexParty
from sideshoot.agents.conversation import Conversation, assistant, user
from sideshoot.agents.opencode import OpenCodeAgent
from sideshoot.agents.opencode.transfer import OpenCodeParty
from sideshoot.agents.transfer import Party, Source, party_named
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError
from support.claude import set_up_claude
from support.codex import set_up_codex
from support.models import play, say, shell
from support.opencode import set_up_opencode
from support.transcripts import Transcript

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.base import Agent
    from sideshoot.agents.transfer import Taken
    from support.models import ModelServer

_numbers = itertools.count()

FIRST = (
    f"remember the word PLUM {play(shell('echo tool-said-this'), say('I shall remember PLUM.'))}"
)
"""What one agent was asked, and said, and did."""

SAID = Conversation((user("plant a plum"), assistant("planted")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def claude(models: ModelServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> ClaudeParty:
    set_up_claude(monkeypatch, home / ".claude", models)
    return ClaudeParty()


@pytest.fixture
def by_default(claude: ClaudeParty, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claude Code keeps its files where it does unless it is told otherwise."""
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")


@pytest.fixture
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodexParty:
    set_up_codex(monkeypatch, tmp_path / "codex", models)
    return CodexParty()


@pytest.fixture
def opencode(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenCodeParty:
    set_up_opencode(monkeypatch, models, tmp_path / "opencode")
    return OpenCodeParty()


def had(agent: Agent, folder: Path, prompt: str = FIRST, **facts: Any) -> str:
    """Let an agent do a task; its own name for the conversation."""
    result = Round(agent, folder, f"transfer{os.getpid()}n{next(_numbers)}").run(prompt, **facts)
    assert result.succeeded, result
    assert result.thread_id
    return result.thread_id


def handed(giver: Party, taker: Party, session: str | None, folder: Path) -> tuple[Source, Taken]:
    source = giver.find(session, folder)
    return source, taker.take(giver.read(source), source, folder)


def next_request(models: ModelServer, agent: Agent, folder: Path, taken: Taken) -> str:
    """What the model is sent when the agent goes on with a conversation."""
    before = len(models.asked)
    had(agent, folder, f"go on {play(say('Gone on.'))}", thread_id=taken.thread_id)
    return models.asked[before].text


def in_order(text: str, *words: str) -> bool:
    """Whether all of these words are there, and in this order."""
    places = [text.find(word) for word in words]
    return -1 not in places and places == sorted(places)


@pytest.mark.agent("claude")
@pytest.mark.agent("codex")
def test_codex_imports_a_session_of_claude(
    claude: ClaudeParty, by_default: None, codex: CodexParty, models: ModelServer, folder: Path
) -> None:
    session = had(ClaudeAgent(), folder)
    file = claude.find(session, folder).file
    assert file
    before, requests = file.read_bytes(), len(models.asked)

    source, taken = handed(claude, codex, session, folder)

    assert source == Source("Claude Code", session, file)
    assert (taken.shown, taken.before) == (True, False)
    assert taken.resume == ("codex", "resume", taken.thread_id)
    assert (file.read_bytes(), len(models.asked)) == (before, requests)
    assert handed(claude, codex, session, folder)[1].thread_id == taken.thread_id
    assert handed(claude, codex, session, folder)[1].before
    asked = next_request(models, CodexAgent(), folder, taken)
    assert in_order(asked, "the word PLUM", "tool-said-this", "I shall remember PLUM.", "go on")
    assert [message.text for message in codex.read(codex.find(taken.thread_id, folder)).messages]


@pytest.mark.agent("claude")
@pytest.mark.agent("codex")
def test_a_session_that_went_on_is_brought_up_to_date_in_its_thread(
    claude: ClaudeParty, by_default: None, codex: CodexParty, models: ModelServer, folder: Path
) -> None:
    session = had(ClaudeAgent(), folder)
    _, first = handed(claude, codex, session, folder)
    had(
        ClaudeAgent(), folder, f"and the word QUINCE {play(say('QUINCE, too.'))}", thread_id=session
    )

    _, second = handed(claude, codex, session, folder)

    assert (second.thread_id, second.before) == (first.thread_id, False)
    asked = next_request(models, CodexAgent(), folder, second)
    assert in_order(asked, "I shall remember PLUM.", "QUINCE, too.", "go on")
    assert asked.count("I shall remember PLUM.") == FIRST.count("I shall remember PLUM.") + 1


@pytest.mark.agent("codex")
@pytest.mark.parametrize("why", ["elsewhere", "rewound", "no UTF-8"])
def test_codex_gets_the_conversation_where_it_would_not_import_it_as_it_is(
    codex: CodexParty, models: ModelServer, folder: Path, home: Path, why: str
) -> None:
    transcript = Transcript()
    transcript.user("plant a plum")
    fork = transcript.assistant("planted")
    if why == "rewound":
        transcript.user("cut it down")
    transcript.user("water it" + ("#" if why == "no UTF-8" else ""), parentUuid=fork)
    transcript.raw(transcript.lines.pop().replace(b"#", b"\xe9"))
    transcript.assistant("watered")
    place = folder if why == "elsewhere" else home / ".claude" / "projects" / "-work"
    source = source_of(transcript.write(place / "session.jsonl"))

    taken = codex.take(ClaudeParty().read(source), source, folder)

    assert not taken.shown
    asked = next_request(models, CodexAgent(), folder, taken)
    assert in_order(
        asked, "plant a plum", "planted", "water it", "watered", "held with Claude Code"
    )
    assert "cut it down" not in asked


@pytest.mark.agent("claude")
@pytest.mark.agent("codex")
def test_claude_takes_a_thread_of_codex(
    claude: ClaudeParty, codex: CodexParty, models: ModelServer, folder: Path, home: Path
) -> None:
    (folder / "secret.txt").write_text("of nobody's concern")
    words = f"/clear @secret.txt {FIRST}"
    thread = had(CodexAgent(), folder, words)
    requests = len(models.asked)
    (home / ".claude" / "settings.json").write_text(
        '{"hooks": {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": "touch hooked"}]}]}}'
    )

    _, taken = handed(codex, claude, None, folder)

    assert taken.resume == ("claude", "--resume", taken.thread_id)
    assert len(models.asked) == requests
    assert not (folder / "hooked").exists()
    found = claude.read(claude.find(taken.thread_id, folder))
    assert [message.role for message in found.messages] == ["user", "assistant", "user"]
    asked = next_request(models, ClaudeAgent(), folder, taken)
    assert in_order(
        asked, "/clear @secret.txt", "tool-said-this", "I shall remember PLUM.", "held with Codex"
    )
    assert "of nobody's concern" not in asked
    assert codex.find(None, folder) == Source("Codex", thread, newest=True)


@pytest.mark.agent("codex")
@pytest.mark.agent("opencode")
@pytest.mark.timeout(150)
def test_opencode_takes_a_conversation_and_gives_it_away(
    codex: CodexParty, opencode: OpenCodeParty, models: ModelServer, folder: Path
) -> None:
    thread = had(CodexAgent(), folder)

    source, taken = handed(codex, opencode, thread, folder)

    assert source.session == thread
    assert taken.resume == ("opencode", "--session", taken.thread_id)
    asked = next_request(models, OpenCodeAgent(patience_s=10, retries_s=1), folder, taken)
    assert in_order(asked, "the word PLUM", "tool-said-this", "I shall remember PLUM.", "held with")
    _, back = handed(opencode, codex, None, folder)
    asked = next_request(models, CodexAgent(), folder, back)
    assert in_order(asked, "the word PLUM", "tool-said-this", "I shall remember PLUM.", "Gone on.")


@pytest.mark.agent("codex")
def test_a_codex_that_can_not_take_it_is_said(
    codex: CodexParty, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no thread 'nonsense'"):
        codex.find("nonsense", folder)
    with pytest.raises(CannotStart, match="no thread of"):
        codex.find(None, folder)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AgentUnavailable, match="codex is not installed"):
        codex.find(None, folder)


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, answer: str) -> None:
    """Put a program on PATH that answers each line, `it`, with what the piece of Python says."""
    program = folder / "bin" / name
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\nfor line in sys.stdin:\n"
        f"    it = json.loads(line)\n{textwrap.indent(textwrap.dedent(answer), '    ')}\n"
        "    for answer in answers: print(json.dumps(answer), flush=True)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"session_id": "s", "num_turns": 1}, "asks its model at once; run `npm install"),
        ({"session_id": "s", "is_error": True, "result": "no\nroom"}, "no room"),
        ({}, "does not take the conversation"),
        (None, "claude ended with status 0"),
    ],
)
def test_a_claude_that_does_not_take_it_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, result: dict[str, Any] | None, said: str
) -> None:
    told = {"type": "result", **result} if result is not None else None
    stand_in(
        monkeypatch,
        folder,
        "claude",
        f"""
        answers = []
        if it["type"] == "control_request":
            facts = {{"request_id": it["request_id"], "subtype": "success", "response": {{}}}}
            answers = [{{"type": "control_response", "response": facts}}]
        elif {told!r} is None:
            sys.exit()
        else:
            answers = [{told!r}]
        """,
    )

    with pytest.raises(CannotStart, match=said):
        ClaudeParty().take(SAID, Source("Codex", "x"), folder)


def test_a_codex_that_knows_no_way_to_take_it_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch,
        folder,
        "codex",
        """
        known = {"initialize": {}, "thread/start": {"thread": {"id": "t"}}}
        error = {"code": -32600, "message": "Invalid request: unknown variant"}
        known_ = it["method"] in known
        told = {"result": known[it["method"]]} if known_ else {"error": error}
        answers = [{"id": it["id"], **told}] if "id" in it else []
        """,
    )
    source = Source("Claude Code", "x", folder / "x.jsonl")

    with pytest.raises(CannotStart, match="this Codex can't take a conversation; run `npm"):
        CodexParty().take(SAID, source, folder)


def test_the_session_that_is_named_comes_before_the_current_one_and_the_newest(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = ClaudeParty()
    projects = home / ".claude" / "projects"
    with pytest.raises(CannotStart, match="no session of"):
        party.find(None, folder)
    name = "".join(c if c.isalnum() else "-" for c in str(folder.resolve()))
    there = [(name, "a"), (name, "b"), ("-other", "c"), (name, "agent-of-b")]
    for number, (project, session) in enumerate(there):
        file = Transcript().write(projects / project / f"{session}.jsonl")
        os.utime(file, (number, number))

    assert party.find(None, folder).session == "b"
    assert party.find(None, folder).newest
    monkeypatch.setenv("SIDESHOOT_SESSION", "of another host")
    assert party.find(None, folder).session == "b"
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "a")
    assert party.find(None, folder) == source_of(projects / name / "a.jsonl")
    monkeypatch.setenv("SIDESHOOT_SESSION", "c")
    assert party.find(None, folder) == source_of(projects / "-other" / "c.jsonl")
    assert party.find("b", folder) == source_of(projects / name / "b.jsonl")
    for unknown in ("d", "../../x", "a/b", "\0"):
        with pytest.raises(UsageError, match="no session"):
            party.find(unknown, folder)


def test_the_newest_session_of_the_checkout_counts_and_none_of_above(
    folder: Path, home: Path
) -> None:
    below = folder / "src" / "deep"
    below.mkdir(parents=True)
    project = "".join(c if c.isalnum() else "-" for c in str(folder.resolve()))
    Transcript().write(home / ".claude" / "projects" / project / "a.jsonl")

    (below.parent / ".git").mkdir()
    with pytest.raises(CannotStart):
        ClaudeParty().find(None, below)
    (below.parent / ".git").rename(folder / ".git")
    assert ClaudeParty().find(None, below).session == "a"


def test_who_can_not_take_part_is_said() -> None:
    with pytest.raises(AgentUnavailable, match="claude, codex, opencode"):
        party_named("gemini")
