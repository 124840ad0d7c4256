"""`sideshoot setup --install` with the real hosts: they find Sideshoot, and lose it without a trace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.claude import set_up_claude
from support.codex import set_up_codex
from support.gemini import set_up_gemini
from support.hosts import run_host
from support.models import ModelServer, mcp_tool, play, say
from support.plugin import Conversation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

ODD = '{ "permissions": {"allow": ["Bash(ls:*)"]},\n     "odd":   1 }'
OTHER = "other"


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def claude(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, models: ModelServer) -> Path:
    """The folder of the real Claude Code's settings."""
    return set_up_claude(monkeypatch, tmp_path / "claude", models)


def put_in_another_plugin(repo: Repo, folder: Path) -> None:
    """The user has a plugin from somewhere else already."""
    (folder / "p" / ".claude-plugin").mkdir(parents=True)
    (folder / ".claude-plugin").mkdir()
    plugin = {"name": OTHER, "source": "./p", "description": "d"}
    market = {"name": OTHER, "owner": {"name": "x"}, "plugins": [plugin]}
    (folder / ".claude-plugin" / "marketplace.json").write_text(json.dumps(market))
    manifest = {"name": OTHER, "version": "1.0.0", "description": "d"}
    (folder / "p" / ".claude-plugin" / "plugin.json").write_text(json.dumps(manifest))
    run_host(repo.top, "claude", "plugin", "marketplace", "add", str(folder))
    run_host(repo.top, "claude", "plugin", "install", f"{OTHER}@{OTHER}")


def of_claude(home: Path) -> dict[str, bytes]:
    """The files in which Claude Code keeps what the user has set."""
    files = [home / "settings.json", *(home / "plugins").glob("*.json")]
    return {str(file): file.read_bytes() for file in files if file.exists()}


@pytest.mark.agent("claude")
@pytest.mark.parametrize("settings", [ODD, None], ids=["odd", "none"])
def test_claude_code_has_the_plugin_until_it_is_taken_back(
    settings: str | None,
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    claude: Path,
) -> None:
    if settings is not None:
        put_in_another_plugin(repo, claude.with_name("other"))
        text = (claude / "settings.json").read_text()
        (claude / "settings.json").write_text(text.replace("{", ODD.rstrip(" }") + ",", 1))
    before = of_claude(claude)

    sideshoot("setup", "--install", "claude", "--yes").ok()

    assert sideshoot("setup", "--install", "claude").ok().out == (
        "Claude Code has the plugin already\n"
    )
    listed = json.loads(run_host(repo.top, "claude", "plugin", "list", "--json"))
    assert "sideshoot@sideshoot" in [plugin["id"] for plugin in listed if plugin["enabled"]]
    with Conversation(models, repo.top) as conversation:  # no `sideshoot` is on PATH
        answer = conversation.command("/sideshoot:status")
    assert "no job" in answer.lower()
    found = json.loads((claude / "settings.json").read_text())
    assert found["enabledPlugins"]["sideshoot@sideshoot"] is True

    sideshoot("setup", "--uninstall", "claude", "--yes").ok()

    after = of_claude(claude)
    if settings is None:
        assert set(after) - set(before) <= {
            str(claude / "plugins" / name)
            for name in ("installed_plugins.json", "known_marketplaces.json")
        }
    else:
        assert after == before
    assert not (Path(os.environ["XDG_DATA_HOME"]) / "sideshoot").exists()
    left = json.loads(run_host(repo.top, "claude", "plugin", "list", "--json"))
    assert "sideshoot@sideshoot" not in [plugin["id"] for plugin in left]
    assert "sideshoot" not in run_host(repo.top, "claude", "plugin", "marketplace", "list")
    assert sideshoot("setup", "--uninstall", "claude").ok().out == (
        "Claude Code has no plugin of Sideshoot's\n"
    )


@pytest.mark.agent("claude")
def test_an_older_plugin_is_renewed_and_the_settings_stay_as_they_are(
    repo: Repo, sideshoot: Command, claude: Path
) -> None:
    (claude / "settings.json").write_text(ODD)
    sideshoot("setup", "--install", "claude", "--yes").ok()
    installed = (claude / "settings.json").read_bytes()
    folder = Path(os.environ["XDG_DATA_HOME"]) / "sideshoot" / "claude" / "sideshoot"
    (folder / "commands" / "keep.md").write_text("older\n")
    (folder / "commands" / "gone.md").write_text("older\n")

    done = sideshoot("setup", "--install", "claude", "--yes").ok()

    assert "run claude plugin install" in done.err
    assert "older" not in (folder / "commands" / "keep.md").read_text()
    assert not (folder / "commands" / "gone.md").exists()
    assert (claude / "settings.json").read_bytes() == installed
    sideshoot("setup", "--uninstall", "claude", "--yes").ok()
    assert (claude / "settings.json").read_text() == ODD


@pytest.mark.agent("claude")
def test_a_marketplace_of_that_name_from_elsewhere_is_left_alone(
    repo: Repo, sideshoot: Command, claude: Path, tmp_path: Path
) -> None:
    (tmp_path / "m" / ".claude-plugin").mkdir(parents=True)
    market = {"name": "sideshoot", "owner": {"name": "x"}, "plugins": []}
    (tmp_path / "m" / ".claude-plugin" / "marketplace.json").write_text(json.dumps(market))
    run_host(repo.top, "claude", "plugin", "marketplace", "add", str(tmp_path / "m"))
    before = of_claude(claude)

    sideshoot("setup", "--install", "claude", "--yes").refused("left as it is", status=3)
    assert "it stays" in sideshoot("setup", "--uninstall", "claude").ok().out

    assert of_claude(claude) == before


@pytest.mark.agent("codex")
def test_codex_starts_the_server_until_it_is_taken_back(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = set_up_codex(monkeypatch, tmp_path / "codex", models)
    file = home / "config.toml"
    file.write_bytes(file.read_bytes() + b'\n[mcp_servers.other]\nurl = "http://127.0.0.1:9" # c')
    before = file.read_bytes()

    sideshoot("setup", "--install", "codex", "--yes").ok()

    servers = json.loads(run_host(repo.top, "codex", "mcp", "list", "--json"))
    assert {server["name"] for server in servers} == {"other", "sideshoot"}
    run_host(repo.top, "codex", "exec", play(mcp_tool("sideshoot", "status"), say("done")))
    assert '\\"jobs\\"' in models.asked[-1].text or '"jobs"' in models.asked[-1].text
    installed = file.read_bytes()
    sideshoot("setup", "--uninstall", "codex", "--yes").ok()
    # Codex notes in its settings what it found out meanwhile; that is none of ours.
    assert installed.startswith(before)
    assert file.read_bytes().startswith(before)
    assert b"sideshoot" not in file.read_bytes()


@pytest.mark.agent("gemini")
def test_gemini_starts_the_server_until_it_is_taken_back(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = set_up_gemini(monkeypatch, tmp_path / "gemini", models)
    file = home / ".gemini" / "settings.json"
    file.write_text("// mine\n" + file.read_text())
    before = file.read_bytes()

    sideshoot("setup", "--install", "gemini", "--yes").ok()

    listed = run_host(repo.top, "gemini", "mcp", "list", GEMINI_CLI_TRUST_WORKSPACE="true")
    assert "sideshoot: " in listed
    assert "- Connected" in listed
    sideshoot("setup", "--uninstall", "gemini", "--yes").ok()
    assert file.read_bytes() == before
