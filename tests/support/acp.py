"""Real agents that speak the Agent Client Protocol, for tests: offline, with homes of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sideshoot.model import Driver
from support.agents import put_on_path
from support.claude import set_up_claude
from support.codex import set_up_codex
from support.gemini import set_up_gemini
from support.opencode import set_up_opencode

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.models import ModelServer

ARGV = {
    "claude-agent-acp": ("claude-agent-acp",),
    "codex-acp": ("codex-acp",),
    "gemini": ("gemini", "--acp"),
    "opencode": ("opencode", "acp"),
}
"""What starts each of them."""


def set_up_acp(
    name: str, monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer
) -> Driver:
    """Put an agent on PATH, with `models` as its only provider; how it is started."""
    match name:
        case "claude-agent-acp":
            set_up_claude(monkeypatch, home / "claude", models)
            if os.geteuid() == 0:
                # Else Claude Code refuses root the mode that the adapter offers.
                monkeypatch.setenv("IS_SANDBOX", "1")
        case "codex-acp":
            set_up_codex(monkeypatch, home / "codex", models)
        case "gemini":
            set_up_gemini(monkeypatch, home, models)
        case _:
            set_up_opencode(monkeypatch, models, home)
    put_on_path(monkeypatch, name)
    settings = {"GEMINI_CLI_TRUST_WORKSPACE": "true"} if name == "gemini" else {}
    return Driver("acp", ARGV[name], settings)
