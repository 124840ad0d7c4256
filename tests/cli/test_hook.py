"""`sideshoot hook`: the host goes on whatever happens, and hears what it has to know."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.codex import set_up_codex
from support.models import ModelServer, fail, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command, Result
    from support.repos import Repo


def told(repo: Repo, **facts: Any) -> bytes:
    plain = {
        "session_id": "s-1",
        "cwd": str(repo.top),
        "stop_hook_active": False,
        "last_assistant_message": "Done.",
        "transcript_path": "/nowhere.jsonl",
    }
    return json.dumps(plain | facts).encode()


def enable(sideshoot: Command) -> None:
    sideshoot("config", "gate.enabled", "on").ok()
    sideshoot("config", "run.agent", "codex").ok()


@pytest.fixture
def own_settings() -> Path:
    """The user's own file of settings."""
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def said(result: Result) -> dict[str, Any]:
    """What the host hears; an empty object if that is nothing."""
    assert result.status == 0, result
    return json.loads(result.stdout or b"{}")  # type: ignore[no-any-return]


def test_it_is_off_by_default_and_leaves_nothing(repo: Repo, sideshoot: Command) -> None:
    repo.write("app.py", "edited\n")
    for event in ("session-start", "user-prompt-submit", "stop"):
        done = sideshoot("hook", event, stdin=told(repo), cwd=repo.top.parent)
        assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert not (repo.top / ".git" / "sideshoot").exists()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 300_000, b'"x"', b"x" * (9 * 1024 * 1024)],
    ids=["empty", "cut", "list", "bytes", "deep", "text", "long"],
)
def test_broken_input_is_told_and_holds_nothing_up(
    repo: Repo, sideshoot: Command, text: bytes
) -> None:
    enable(sideshoot)
    assert (
        "did not look at this turn" in said(sideshoot("hook", "stop", stdin=text))["systemMessage"]
    )
    quiet = sideshoot("hook", "user-prompt-submit", stdin=text)
    assert (quiet.status, quiet.stdout) == (0, b"")  # it would go to the host's model


@pytest.mark.parametrize(
    "words", [[], ["notification"], ["--of-a-newer-host"], ["stop", "--of-a-newer-host"]]
)
def test_no_command_line_means_to_hold_up(repo: Repo, sideshoot: Command, words: list[str]) -> None:
    done = sideshoot("hook", *words, stdin=told(repo))
    assert (done.status, done.stdout) == (0, b"")


@pytest.mark.parametrize("folder", ["/", "/nowhere/at/all", "a\0b", 7, None])
def test_no_repository_holds_nothing_up(repo: Repo, sideshoot: Command, folder: Any) -> None:
    done = sideshoot("hook", "stop", stdin=told(repo, cwd=folder), cwd=repo.top.parent)
    assert (done.status, done.stdout) == (0, b"")


def test_a_repository_that_is_damaged_holds_nothing_up(repo: Repo, sideshoot: Command) -> None:
    enable(sideshoot)
    repo.write("app.py", "edited\n")
    (repo.top / ".git" / "sideshoot" / "sideshoot.db").write_bytes(b"x" * 5000)
    assert "can't be read" in said(sideshoot("hook", "stop", stdin=told(repo)))["systemMessage"]


def test_an_agent_that_is_missing_holds_nothing_up(repo: Repo, sideshoot: Command) -> None:
    enable(sideshoot)
    repo.write("app.py", "edited\n")
    done = sideshoot("hook", "stop", stdin=told(repo), env={"PATH": "/usr/bin:/bin"})
    assert "codex" in said(done)["systemMessage"]


def test_an_agent_of_our_own_is_not_reviewed(repo: Repo, sideshoot: Command) -> None:
    enable(sideshoot)
    repo.write("app.py", "edited\n")
    done = sideshoot("hook", "stop", stdin=told(repo), env={"SIDESHOOT_JOB": "k3fw9t"})
    assert (done.status, done.stdout) == (0, b"")


def test_commands_of_a_session_are_told_its_id_once(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    file = tmp_path / "session.env"
    file.write_text("export OTHER=1")
    for _ in range(2):
        sideshoot("hook", "SessionStart", stdin=told(repo), env={"CLAUDE_ENV_FILE": str(file)}).ok()
    assert file.read_text() == "export OTHER=1\nexport SIDESHOOT_SESSION=s-1\n"
    odd = told(repo, session_id="a'; rm -rf $HOME #")
    sideshoot("hook", "SessionStart", stdin=odd, env={"CLAUDE_ENV_FILE": str(file)}).ok()
    assert file.read_text().endswith("export SIDESHOOT_SESSION='a'\"'\"'; rm -rf $HOME #'\n")


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    set_up_codex(monkeypatch, tmp_path / "codex", models)
    return models


@pytest.mark.agent("codex")
def test_the_real_codex_rules_on_a_turn(repo: Repo, sideshoot: Command, codex: ModelServer) -> None:
    enable(sideshoot)
    sideshoot("hook", "user-prompt-submit", stdin=told(repo)).ok()
    assert said(sideshoot("hook", "stop", stdin=told(repo))) == {}
    assert codex.asked == []
    repo.write("app.py", "edited\n")
    before = repo.fingerprint()
    codex.unasked = [say(json.dumps({"verdict": "BLOCK", "reason": "app.py:1 leaks"}))]
    blocked = said(sideshoot("hook", "stop", stdin=told(repo)))
    assert blocked["decision"] == "block"
    assert "app.py:1 leaks" in blocked["reason"]
    again = sideshoot("hook", "stop", stdin=told(repo, stop_hook_active=True))
    assert said(again) == {}
    repo.write("app.py", "mended\n")
    codex.unasked = [say(json.dumps({"verdict": "ALLOW", "reason": "fine"}))]
    assert said(sideshoot("hook", "stop", stdin=told(repo))) == {}
    repo.write("app.py", "edited\n")
    assert repo.fingerprint() == before
    assert sideshoot.json("status", "--all")["jobs"] == []


@pytest.mark.agent("codex")
def test_a_model_that_fails_holds_nothing_up(
    repo: Repo, sideshoot: Command, codex: ModelServer
) -> None:
    enable(sideshoot)
    repo.write("app.py", "edited\n")
    codex.unasked = [fail(400, "no credit left")]
    message = said(sideshoot("hook", "stop", stdin=told(repo)))["systemMessage"]
    assert "did not look at this turn" in message


@pytest.mark.agent("codex")
def test_the_users_own_file_turns_it_on_everywhere(
    repo: Repo, sideshoot: Command, codex: ModelServer, own_settings: Path
) -> None:
    own_settings.write_text('[gate]\nenabled = true\n[run]\nagent = "codex"\n')
    repo.write("app.py", "edited\n")
    codex.unasked = [say("BLOCK: app.py:1 leaks")]
    assert said(sideshoot("hook", "stop", stdin=told(repo)))["decision"] == "block"
    outside = sideshoot("hook", "stop", stdin=told(repo, cwd="/"))
    assert "did not look at this turn" in said(outside)["systemMessage"]


def test_an_agent_of_ones_own_is_not_asked(
    repo: Repo, sideshoot: Command, own_settings: Path
) -> None:
    own_settings.write_text(
        '[gate]\nenabled = true\n[run]\nagent = "mine"\n[agents.mine]\ncommand = "touch {prompt}"\n'
    )
    repo.write("app.py", "edited\n")
    before = repo.fingerprint()
    message = said(sideshoot("hook", "stop", stdin=told(repo)))["systemMessage"]
    assert "mine can't look at turns" in message
    assert repo.fingerprint() == before


def test_a_session_that_ends_leaves_its_jobs_at_work_and_the_next_is_told_once(
    repo: Repo, sideshoot: Command, unfenced: None
) -> None:
    def begun(session: str) -> str:
        words = ("run", "--json", "--background", "--session", session, "--", "sleep", "600")
        return str(sideshoot(*words).ok().json["job_id"])

    mine, theirs = begun("s-1"), begun("s-2")
    ended = sideshoot("hook", "SessionEnd", stdin=told(repo, reason="other"))
    assert (ended.status, ended.stdout) == (0, b"")
    assert f"job {mine} goes on in the background" in ended.err
    assert theirs not in ended.err
    assert sideshoot.json("status", mine)["outcome"] is None

    def heard(event: str, session: str) -> str:
        done = said(sideshoot("hook", event, stdin=told(repo, session_id=session)))
        return str(done.get("systemMessage", ""))

    assert heard("session-start", "s-3") == (
        f"Sideshoot: job {mine} goes on in the background; /sideshoot:status {mine}"
    )
    assert heard("session-start", "s-4") == heard("user-prompt-submit", "s-3") == ""
    sideshoot("cancel", mine)
    assert heard("user-prompt-submit", "s-3") == (
        f"Sideshoot: job {mine} has ended (cancelled); /sideshoot:result {mine}"
    )
    assert heard("user-prompt-submit", "s-3") == ""
    assert sideshoot.json("status", theirs)["outcome"] is None
    sideshoot("cancel", theirs)


def test_only_slash_commands_of_ours_are_held(repo: Repo, sideshoot: Command) -> None:
    for prompt in ("/sideshoot:unknown x", "see /sideshoot:status", "/status", ""):
        assert said(sideshoot("hook", "user-prompt-submit", stdin=told(repo, prompt=prompt))) == {}
    assert not (Path(os.environ["XDG_STATE_HOME"]) / "sideshoot").exists()


def test_jobs_of_the_session_are_meant_by_commands_inside_it(
    repo: Repo, sideshoot: Command, unfenced: None
) -> None:
    inside = {"SIDESHOOT_SESSION": "s-1"}
    mine = sideshoot.run("echo mine > mine", env=inside)["job_id"]
    theirs = sideshoot.run("echo theirs > theirs")["job_id"]

    assert [job["job_id"] for job in sideshoot.json("status", env=inside)["jobs"]] == [mine]
    everything = sideshoot.json("status", "--all", env=inside)["jobs"]
    assert [job["job_id"] for job in everything] == [theirs, mine]
    other = sideshoot("status", env={"SIDESHOOT_SESSION": "s-2"}).ok()
    assert "no jobs in this session" in other.out
    assert sideshoot.json("result", env=inside)["job_id"] == mine
    assert sideshoot.json("diff", env=inside)["job_id"] == mine
    assert sideshoot.json("keep", env=inside)["job_id"] == mine
    assert sideshoot.json("undo", env=inside)["job_id"] == mine
    assert sideshoot.json("discard", env=inside)["discarded"] == [mine]
    sideshoot("keep", env=inside).ok()  # of the session there is none left: the other is meant
    assert repo.read("theirs") == b"theirs\n"
