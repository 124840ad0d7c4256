"""What an agent that only the user knows may write inside a fence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sideshoot.agents.state import make_ready, state_of
from sideshoot.errors import CannotStart
from sideshoot.fence.mechanism import Kind, Mechanism
from sideshoot.fence.model import Level
from sideshoot.model import Driver

BUBBLEWRAP = Mechanism(Kind.BUBBLEWRAP)
LANDLOCK = Mechanism(Kind.LANDLOCK, why="bubblewrap is not installed")


def test_folders_that_are_named_and_that_bear_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    for place in (".pruner", ".local/share/pruner", ".config/pruner", ".other"):
        (home / place).mkdir(parents=True)
    driver = Driver("acp", ("/opt/bin/pruner", "acp"), {}, ("~/.named", "/var/pruner"))
    grants = state_of(driver, Level.WRITE, LANDLOCK)
    assert set(grants.folders) == {
        home / ".named", Path("/var/pruner"), home / ".pruner", home / ".local/share/pruner",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("program", "folder", "settings"),
    [
        ("claude-agent-acp", ".claude", "settings.json"),
        ("gemini", ".gemini", "settings.json"),
    ],
)
def test_an_adapter_has_what_its_agent_has(
    home: Path, program: str, folder: str, settings: str
) -> None:
    grants = state_of(Driver("acp", (program,)), Level.WRITE, LANDLOCK)
    assert home / folder in grants.folders
    assert home / folder / settings in grants.settings


def test_an_adapter_of_codex_has_codexs_home_and_is_refused_where_codex_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODEX_HOME", "/srv/codex")
    driver = Driver("acp", ("codex-acp",))
    grants = state_of(driver, Level.WRITE, BUBBLEWRAP)
    assert (grants.folders, grants.settings) == (
        (Path("/srv/codex"),), (Path("/srv/codex/config.toml"),),
    )  # fmt: skip
    with pytest.raises(CannotStart, match="Codex can't put up its sandbox"):
        state_of(driver, Level.WRITE, LANDLOCK)


def test_what_opencode_writes_at_its_start_is_written_before(home: Path) -> None:
    make_ready(Driver("acp", ("pruner", "acp")))
    assert not (home / ".config" / "opencode").exists()
    make_ready(Driver("acp", ("/opt/bin/opencode", "acp")))
    assert (home / ".config" / "opencode" / ".gitignore").exists()
