"""`sideshoot transfer`: what it says, what it refuses, and that what it prints can be pasted."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.plugin.typed import Typed, hold
from support.codex import set_up_codex
from support.mcp import Client
from support.models import ModelServer, play, say, shell
from support.transcripts import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def codex(models: ModelServer, roomy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_codex(monkeypatch, roomy / "codex", models)


@pytest.fixture
def session(repo: Repo, home: Path) -> Path:
    """The transcript of the only session of `repo`."""
    transcript = Transcript()
    transcript.user("plant a plum; the password is hunter2")
    transcript.assistant("planted")
    name = "".join(c if c.isalnum() else "-" for c in str(repo.top.resolve()))
    return transcript.write(home / ".claude" / "projects" / name / "5e55.jsonl")


@pytest.mark.agent("codex")
def test_a_session_is_handed_over_and_what_is_printed_goes_on_with_it(
    sideshoot: Command, codex: None, session: Path, models: ModelServer, tmp_path: Path
) -> None:
    result = sideshoot("transfer").ok()

    assert result.err == "no session was named: this is the newest one of this folder\n"
    first, second, third = result.out.splitlines()
    assert first == "Codex has Claude Code's session 5e55: 2 messages"
    assert second.startswith("go on with it:  codex resume ")
    found = sideshoot.json("transfer", env={"CLAUDE_CODE_SESSION_ID": "5e55"})
    assert found == {
        "from": "claude",
        "to": "codex",
        "session_id": "5e55",
        "transcript": str(session),
        "thread_id": second.split()[-1],
        "messages": 2,
        "left_out": 0,
        "shown": True,
        "handed_over_before": True,
        "resume_command": second.removeprefix("go on with it:  "),
    }
    assert models.asked == []
    resumed = shlex.split(found["resume_command"].replace("codex resume", "codex exec resume"))
    subprocess.run(
        [*resumed, "and now?"], cwd=sideshoot.cwd, stdin=subprocess.DEVNULL, check=True, timeout=60
    )
    assert "plant a plum" in models.asked[0].text
    words = shlex.split(third.removeprefix("or in a copy:   ").removesuffix(" TASK"))
    say_so = play(shell("echo plum > planted"), say("Planted."))
    subprocess.run([*words, say_so], cwd=sideshoot.cwd, check=True, timeout=90)
    assert "plant a plum" in models.asked[-1].text
    assert sideshoot.json("result")["files"][0]["path"] == "planted"
    assert not (sideshoot.cwd / "planted").exists()


@pytest.mark.agent("codex")
def test_a_transcript_from_elsewhere_is_handed_over_without_a_word_of_it_being_printed(
    sideshoot: Command, codex: None, session: Path, tmp_path: Path
) -> None:
    moved = session.rename(tmp_path / "a transcript")

    result = sideshoot("transfer", "--source", str(moved), "-C", str(sideshoot.cwd), cwd=tmp_path)

    said = result.ok().out + result.err
    assert "hunter2" not in said
    assert "plum" not in said
    assert "its screen does not show it" in result.err
    folder = shlex.quote(str(sideshoot.cwd))
    assert f"go on with it:  cd {folder} && codex resume " in result.out


@pytest.mark.agent("codex")
def test_the_slash_command_hands_over_the_session_that_it_is_typed_in(
    sideshoot: Command, codex: None, session: Path
) -> None:
    current = session.with_name("c0de.jsonl")
    session.rename(current)
    Transcript().write(session)
    typed = hold(Typed("transfer", "", session="c0de", folder=str(sideshoot.cwd)))
    with Client(sideshoot.cwd, argv=["--slash-commands"]) as client:
        client.begin()
        answer = client.request(
            "tools/call", {"name": "slash_command", "arguments": {"request": typed}}
        )

    text = answer["content"][0]["text"]
    assert "Codex has Claude Code's session c0de: 2 messages" in text
    assert "codex resume " in text
    assert "no session was named" not in text


def test_what_does_not_fit_together_is_refused(sideshoot: Command, session: Path) -> None:
    for words, said in [
        (["--to", "claude"], "claude has this conversation already"),
        (["--session", "x", "--transcript", "y"], "give one of them"),
        (["--from", "codex", "--transcript", "y"], "not one of codex's"),
        (["--transcript", "nowhere.jsonl"], "there is no file"),
        (["--session", "unknown"], "no session 'unknown'"),
    ]:
        sideshoot("transfer", *words).refused(said, status=2)


def test_a_job_goes_on_with_one_thing(sideshoot: Command) -> None:
    for words, said in [
        (["--resume", "go on"], "--resume and --thread"),
        (["--fresh", "go on"], "can't be combined with --thread"),
        (["--", "true"], "a command has no thread"),
    ]:
        sideshoot("run", "--thread", "x", *words).refused(said, status=2)


def test_who_can_not_take_it_is_said_before_anything_is_begun(
    sideshoot: Command, session: Path, tmp_path: Path
) -> None:
    for name in ("gemini", "command", "nobody"):
        sideshoot("transfer", "--to", name).refused(
            f"{name} has no way to hand a conversation over", "claude, codex, opencode", status=3
        )
    without = {"PATH": str(tmp_path)}
    sideshoot("transfer", env=without).refused("codex is not installed", status=3)
    sideshoot("transfer", cwd=tmp_path, env=without).refused("no session of", status=3)
