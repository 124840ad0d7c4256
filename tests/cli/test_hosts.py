"""`sideshoot setup --install`: shown, asked for, done, and taken back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.terminal import on_terminal

if TYPE_CHECKING:
    from support.command import Command

COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
CODEX = b'model = "x" # fav\n'


@pytest.fixture
def codex(home: Path) -> Path:
    """The settings of Codex."""
    file = home / ".codex" / "config.toml"
    file.parent.mkdir()
    file.write_bytes(CODEX)
    return file


def test_without_a_yes_it_is_shown_and_not_done(sideshoot: Command, codex: Path) -> None:
    done = sideshoot("setup", "--install", "codex")

    assert done.status == 3
    assert "Codex gets the MCP server\n" in done.err
    assert f"file {codex}\n" in done.err
    assert "+[mcp_servers.sideshoot]" in done.err
    assert "fav" not in done.err
    assert done.last_line == "sideshoot: nothing was changed; with --yes it is"
    assert codex.read_bytes() == CODEX


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"\n", 3)])
def test_on_a_terminal_it_is_asked_for(
    sideshoot: Command, codex: Path, answer: bytes, status: int
) -> None:
    shown, ended = on_terminal(sideshoot, answer, "setup", "--install", "codex")

    assert shown.index("+[mcp_servers.sideshoot]") < shown.index("Do this? [y/N]")
    assert ended == status
    assert (codex.read_bytes() == CODEX) == (status == 3)


def test_a_yes_is_for_what_was_shown(sideshoot: Command, codex: Path) -> None:
    def change() -> None:
        codex.write_text("changed = true\n")

    shown, ended = on_terminal(sideshoot, b"y\n", "setup", "--install", "codex", asked=change)

    assert "has just changed; it was left alone" in shown
    assert ended == 3
    assert codex.read_text() == "changed = true\n"


def test_with_a_yes_it_is_done_and_taken_back(
    sideshoot: Command, codex: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "no-repository"
    outside.mkdir()
    for_cursor = codex.parents[1] / ".cursor"

    done = sideshoot("setup", "--install", "codex", "--install", "cursor", "-y", cwd=outside).ok()
    assert done.out == "done: Codex gets the MCP server\ndone: Cursor gets the MCP server\n"
    assert b"[mcp_servers.sideshoot]" in codex.read_bytes()
    assert (for_cursor / "mcp.json").exists()
    again = sideshoot("setup", "--install", "codex", "--install", "codex").ok()
    assert (again.out, again.err) == ("Codex has the MCP server already\n", "")
    gone = sideshoot("setup", "--uninstall", "cursor", "--uninstall", "codex", "--yes").ok()
    assert "done: Codex loses the MCP server\n" in gone.out
    assert f"file {for_cursor / 'mcp.json'} (goes)" in gone.err
    assert codex.read_bytes() == CODEX
    assert not for_cursor.exists()
    nothing = sideshoot("setup", "--uninstall", "codex").ok()
    assert nothing.out == "Codex has no MCP server of Sideshoot's\n"


def test_hooks_for_worktrees_are_put_in_and_taken_back(sideshoot: Command, home: Path) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text("{ }")

    sideshoot("setup", "--install", "claude-worktrees", "--yes").ok()

    assert "hook worktree-create" in file.read_text()
    sideshoot("setup", "--uninstall", "claude-worktrees", "--yes").ok()
    assert file.read_text() == "{ }"


def test_programs_get_what_will_be_and_what_was_done(sideshoot: Command, codex: Path) -> None:
    asked = sideshoot("setup", "--install", "codex", "--json")
    assert asked.status == 3
    (plan,) = asked.json["hosts"]
    row = next(line for line in COMMANDS.splitlines() if line.startswith("| `setup --install` |"))
    named = {*re.findall(r"`(\w+)`", row)}
    assert {*asked.json, *plan, *plan["files"][0]} == named
    assert (plan["host"], plan["changes"], plan["done"]) == ("codex", True, False)
    assert "+[mcp_servers.sideshoot]" in plan["files"][0]["lines"]
    assert codex.read_bytes() == CODEX

    (plan,) = sideshoot.json("setup", "--install", "codex", "--yes")["hosts"]
    assert plan["done"]
    assert plan["files"][0]["path"] == str(codex)
    (plan,) = sideshoot.json("setup", "--install", "codex")["hosts"]
    assert (plan["changes"], plan["done"], plan["files"]) == (False, False, [])


def test_a_broken_file_stops_all_before_anything_is_changed(
    sideshoot: Command, codex: Path, home: Path
) -> None:
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text("{,")

    done = sideshoot("setup", "--install", "codex", "--install", "gemini", "--yes")

    done.refused("settings.json: it is no JSON (line 1); it was left alone", status=3)
    assert codex.read_bytes() == CODEX


def test_claude_code_has_to_be_there_for_its_plugin(sideshoot: Command) -> None:
    done = sideshoot("setup", "--install", "claude", "--yes", env={"PATH": "/usr/bin:/bin"})

    done.refused("Claude Code (`claude`) is not on PATH; nothing was changed", status=3)


BROKEN_CLAUDE = """#!/bin/sh
state=$HOME/markets
settings=$HOME/.claude/settings.json
case "$*" in
"plugin marketplace list --json") cat "$state" 2>/dev/null || echo "[]" ;;
"plugin list --json") echo "[]" ;;
"plugin marketplace add "*)
    printf '[{"name": "sideshoot", "source": "directory", "path": "%s"}]' "$4" > "$state"
    echo '{"odd": 1, "extraKnownMarketplaces": {}}' > "$settings" ;;
"plugin marketplace remove sideshoot") rm "$state" ;;
*) echo "progress" >&2; echo "no room for plugins" >&2; exit 1 ;;
esac
"""


def test_where_claude_code_fails_what_was_begun_is_taken_back(
    sideshoot: Command, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").write_text(BROKEN_CLAUDE)
    (tmp_path / "bin" / "claude").chmod(0o755)
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{ "odd": 1 }')
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"

    done = sideshoot("setup", "--install", "claude", "--yes", env={"PATH": path})

    done.refused(
        "`claude plugin install sideshoot@sideshoot` failed: no room for plugins", status=3
    )
    assert settings.read_text() == '{ "odd": 1 }'
    assert not (home / "markets").exists()
    assert not (Path(os.environ["XDG_DATA_HOME"]) / "sideshoot").exists()


@pytest.mark.parametrize(
    "words",
    [["--install", "emacs"], ["--install", "codex", "--uninstall", "codex"], ["--install"]],
)
def test_a_wrong_command_line_changes_nothing(
    sideshoot: Command, codex: Path, words: list[str]
) -> None:
    assert sideshoot("setup", *words).status == 2
    assert codex.read_bytes() == CODEX


def test_setup_says_where_sideshoot_is_called_from(sideshoot: Command, codex: Path) -> None:
    sideshoot("setup", "--install", "codex", "--yes").ok()
    (codex.parents[1] / ".gemini").mkdir()
    (codex.parents[1] / ".gemini" / "settings.json").write_text("[")

    hosts = {host["name"]: host for host in sideshoot("setup", "--json").json["hosts"]}

    installed = {name: host["installed"] for name, host in hosts.items()}
    assert installed == {
        "claude": False,
        "claude-worktrees": False,
        "codex": True,
        "gemini": None,
        "cursor": False,
    }
    assert "it is no JSON" in hosts["gemini"]["detail"]
    text = sideshoot("setup").out
    assert "called from     codex" in text
