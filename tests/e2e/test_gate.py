"""The review gate inside the real Claude Code, with the real Codex as the reviewer."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.claude import set_up_claude
from support.codex import set_up_codex
from support.command import PROGRAM, environment
from support.models import ModelServer, play, say, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = [pytest.mark.agent("claude"), pytest.mark.agent("codex")]

EVENTS = {"SessionStart": 10, "UserPromptSubmit": 30, "Stop": 120}


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Host:
    """Claude Code with our hooks in its settings, or in a plugin."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.repo = repo
        self.folder = folder

    def settings(self, *events: str) -> list[str]:
        return ["--settings", json.dumps({"hooks": hooks(events)})]

    def plugin(self, *events: str) -> list[str]:
        top = self.folder / "plugin"
        (top / ".claude-plugin").mkdir(parents=True)
        manifest = {"name": "gated", "version": "1.0.0", "description": "Holds turns up."}
        (top / ".claude-plugin" / "plugin.json").write_text(json.dumps(manifest))
        (top / "hooks").mkdir()
        (top / "hooks" / "hooks.json").write_text(json.dumps({"hooks": hooks(events)}))
        return ["--plugin-dir", str(top)]

    def turn(self, prompt: str, *options: str) -> list[dict[str, Any]]:
        """What Claude Code tells of a turn."""
        done = subprocess.run(
            ["claude", "-p", "--output-format", "stream-json", "--verbose", "--include-hook-events",
             "--permission-mode", "acceptEdits", *options, "--allowedTools", "Bash", "--", prompt],
            cwd=self.repo.top, env=environment({}), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=110, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done
        return [json.loads(line) for line in done.stdout.splitlines()]


def hooks(events: tuple[str, ...]) -> dict[str, Any]:
    return {
        event: [
            {
                "hooks": [
                    {
                        "type": "command",
                        "command": shlex.join([*PROGRAM, "hook", event]),
                        "timeout": EVENTS[event],
                    }
                ]
            }
        ]
        for event in events
    }


@pytest.fixture
def host(
    repo: Repo,
    models: ModelServer,
    sideshoot: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Host:
    set_up_codex(monkeypatch, tmp_path / "codex", models)
    set_up_claude(monkeypatch, tmp_path / "claude", models)
    sideshoot("config", "gate.enabled", "on").ok()
    sideshoot("config", "run.agent", "codex").ok()
    return Host(repo, tmp_path)


def of_reviewer(models: ModelServer) -> list[str]:
    """What the reviewer's model was asked."""
    return [asked.text for asked in models.asked if "wants to end its turn" in asked.text
            and not asked.path.endswith("/messages")]  # fmt: skip


def of_host(models: ModelServer) -> list[str]:
    return [asked.text for asked in models.asked if "/messages" in asked.path]


EDIT = play(shell("echo edited > app.py"), say("All done."))


@pytest.mark.parametrize("way", ["settings", "plugin"])
def test_a_turn_is_held_up_once_and_hears_why(
    host: Host, models: ModelServer, sideshoot: Command, way: str
) -> None:
    models.unasked = [say(json.dumps({"verdict": "BLOCK", "reason": "app.py:1 LEAKS"}))]
    events = host.turn(EDIT, *getattr(host, way)(*EVENTS))
    assert len(of_reviewer(models)) == 1
    assert "+edited" in of_reviewer(models)[0]
    assert "All done." in of_reviewer(models)[0]
    assert "app.py:1 LEAKS" in of_host(models)[-1]
    assert events[-1]["subtype"] == "success"
    assert sideshoot.json("status", "--all")["jobs"] == []


def test_a_turn_that_may_end_ends(host: Host, models: ModelServer) -> None:
    models.unasked = [say(json.dumps({"verdict": "ALLOW", "reason": "fine"}))]
    events = host.turn(EDIT, *host.settings(*EVENTS))
    assert len(of_reviewer(models)) == 1
    assert not any("Sideshoot" in text for text in of_host(models))
    assert events[-1]["result"] == "All done."


def test_a_turn_without_edits_asks_nobody(host: Host, models: ModelServer) -> None:
    host.repo.write("app.py", "the user's own\n")
    host.turn(play(shell("cat app.py"), say("Read.")), *host.settings(*EVENTS))
    assert of_reviewer(models) == []


def test_a_stop_hook_alone_is_enough(host: Host, models: ModelServer) -> None:
    models.unasked = [say("BLOCK: app.py:1 LEAKS")]
    host.turn(EDIT, *host.settings("Stop"))
    assert "app.py:1 LEAKS" in of_host(models)[-1]


def test_a_fault_of_the_gate_is_told_and_the_turn_ends(
    host: Host, models: ModelServer, sideshoot: Command
) -> None:
    sideshoot("config", "run.agent", "gemini").ok()
    events = host.turn(EDIT, *host.settings(*EVENTS))
    assert events[-1]["result"] == "All done."
    told = [str(event) for event in events if event.get("subtype") == "hook_response"]
    assert any("did not look at this turn" in text for text in told)
