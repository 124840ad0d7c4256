"""The guard in the real Claude Code: a bare call of an agent is not run, and the model hears why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.claude import set_up_claude
from support.models import ModelServer, say, shell
from support.plugin import PLUGIN, Conversation, put_sideshoot_on_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("claude")


def test_an_agent_is_started_through_sideshoot_only(
    repo: Repo, sideshoot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    put_sideshoot_on_path(monkeypatch, programs)
    (programs / "codex").write_text('#!/bin/sh\necho "$@" >> ran\n')
    (programs / "codex").chmod(0o755)
    options = ("--plugin-dir", str(PLUGIN), "--allowedTools", "Bash")
    steps = [shell("cd . && codex exec one"), shell("echo codex exec > said"), say("done")]
    with ModelServer() as models:
        set_up_claude(monkeypatch, tmp_path / "claude", models)
        monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)  # before the real codex
        with Conversation(models, repo.top, *options) as conversation:
            conversation.turn("go on", *steps)
            assert repo.read("ran") == b"exec one\n"  # it is off
            sideshoot("config", "guard.enabled", "on").ok()
            conversation.turn("go on", *steps)

    assert repo.read("ran") == b"exec one\n"
    assert repo.read("said") == b"codex exec\n"
    assert "sideshoot run --agent codex" in models.asked[-1].text
