"""`sideshoot hook pre-tool-use`: a bare call of an agent is refused where the user wants that, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sideshoot as package
from support.command import TIME_LIMIT_S, environment
from support.plugin import put_sideshoot_on_path

if TYPE_CHECKING:
    from support.command import Command
    from support.repos import Repo

GUARD = Path(package.__file__).parent / "plugin" / "claude" / "sideshoot" / "scripts" / "guard"


def told(repo: Repo, command: Any, **facts: Any) -> bytes:
    plain = {
        "session_id": "s-1",
        "transcript_path": "/home/x/.claude/projects/codex/a.jsonl",
        "cwd": str(repo.top),
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": command, "description": "d"},
    }
    return json.dumps(plain | facts, separators=(",", ":")).encode()


def refused(stdout: bytes) -> bool:
    if not stdout:
        return False
    answer = json.loads(stdout)["hookSpecificOutput"]
    assert answer["hookEventName"] == "PreToolUse"
    assert "sideshoot run --agent codex" in answer["permissionDecisionReason"]
    return bool(answer["permissionDecision"] == "deny")


def test_it_is_off_until_it_is_turned_on_and_off_again(repo: Repo, sideshoot: Command) -> None:
    ask = told(repo, "cd a && codex exec x")
    assert not refused(sideshoot("hook", "pre-tool-use", stdin=ask).ok().stdout)
    assert not (repo.top / ".git" / "sideshoot").exists()

    assert sideshoot("setup", "--enable-guard", "--json").json["guard"] is True
    assert refused(sideshoot("hook", "pre-tool-use", stdin=ask, cwd=repo.top.parent).ok().stdout)
    assert "guard           on" in sideshoot("setup").out
    assert sideshoot("setup", "--disable-guard", "--json").json["guard"] is False
    assert not refused(sideshoot("hook", "pre-tool-use", stdin=ask).ok().stdout)


def test_what_starts_no_agent_runs(repo: Repo, sideshoot: Command) -> None:
    sideshoot("config", "guard.enabled", "on").ok()
    for command in (
        "grep codex a",
        "codex --version",
        "sideshoot run --agent codex x",
        "echo 'codex",
    ):
        done = sideshoot("hook", "pre-tool-use", stdin=told(repo, command))
        assert (done.status, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "facts",
    [
        {"tool_name": "Write"},
        {"tool_input": None},
        {"tool_input": {"command": 7}},
        {"tool_input": []},
    ],
)
def test_other_tools_are_none_of_its_business(
    repo: Repo, sideshoot: Command, facts: dict[str, Any]
) -> None:
    sideshoot("config", "guard.enabled", "on").ok()
    done = sideshoot("hook", "pre-tool-use", stdin=told(repo, "codex exec x", **facts))
    assert (done.status, done.stdout) == (0, b"")


def test_a_fault_of_its_own_stops_nothing(repo: Repo, sideshoot: Command) -> None:
    sideshoot("config", "guard.enabled", "on").ok()
    (repo.top / ".git" / "sideshoot" / "sideshoot.db").write_bytes(b"broken" * 1000)
    for stdin in (b"", b"{", told(repo, "codex exec x")):
        done = sideshoot("hook", "pre-tool-use", stdin=stdin)
        assert (done.status, done.stdout) == (0, b"")
        assert b"Traceback" not in done.stderr


def test_outside_of_a_repository_the_users_own_file_counts(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    outside = tmp_path / "no-repository"
    outside.mkdir()
    ask = told(repo, "codex", cwd=str(outside))
    assert not refused(sideshoot("hook", "pre-tool-use", stdin=ask).ok().stdout)
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text("[guard]\nenabled = true\n")

    assert refused(sideshoot("hook", "pre-tool-use", stdin=ask).ok().stdout)
    ask = told(repo, "codex")
    assert refused(sideshoot("hook", "pre-tool-use", stdin=ask).ok().stdout)


def test_a_repository_does_not_turn_it_off_unasked(repo: Repo, sideshoot: Command) -> None:
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text("[guard]\nenabled = true\n")
    repo.write("sideshoot.toml", "[guard]\nenabled = false\n")

    assert refused(sideshoot("hook", "pre-tool-use", stdin=told(repo, "codex")).ok().stdout)


def test_both_switches_at_once_are_refused(repo: Repo, sideshoot: Command) -> None:
    sideshoot("setup", "--enable-guard", "--disable-guard").refused("contradict", status=2)


def test_the_plugin_asks_only_about_commands_that_name_an_agent(
    repo: Repo, sideshoot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sideshoot("config", "guard.enabled", "on").ok()
    without = environment({"PATH": "/usr/bin:/bin"})
    put_sideshoot_on_path(monkeypatch, tmp_path / "bin")
    with_program = environment({})

    assert refused(guard(told(repo, 'codex exec "it\'s"'), with_program))
    assert not refused(guard(told(repo, "make test"), without))
    assert not refused(guard(told(repo, "codex exec x"), without))  # Sideshoot is not there


def guard(stdin: bytes, variables: dict[str, str]) -> bytes:
    """What the plugin's script answers."""
    done = subprocess.run(
        ["sh", str(GUARD)], input=stdin, env=variables, capture_output=True, timeout=TIME_LIMIT_S
    )
    assert done.returncode == 0, done
    return done.stdout
