"""What an agent that only the user knows may write inside a fence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sideshoot.agents.state import state_of
from sideshoot.model import Driver


def test_folders_that_are_named_and_that_bear_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    for place in (".pruner", ".local/share/pruner", ".config/pruner", ".other"):
        (home / place).mkdir(parents=True)
    grants = state_of(Driver("acp", ("/opt/bin/pruner", "acp"), {}, ("~/.named", "/var/pruner")))
    assert set(grants.folders) == {
        home / ".named", Path("/var/pruner"), home / ".pruner", home / ".local/share/pruner",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("program", "folder", "settings"),
    [
        ("codex-acp", ".codex", "config.toml"),
        ("claude-agent-acp", ".claude", "settings.json"),
        ("gemini", ".gemini", "settings.json"),
    ],
)
def test_an_adapter_has_what_its_agent_has(
    home: Path, program: str, folder: str, settings: str
) -> None:
    grants = state_of(Driver("acp", (program,)))
    assert home / folder in grants.folders
    assert home / folder / settings in grants.settings
