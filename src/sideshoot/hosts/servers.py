"""Hosts that find Sideshoot as an MCP server in their settings: Codex, Gemini CLI, Cursor.

Files and keys: https://developers.openai.com/codex/mcp (read by Codex 0.169), `gemini mcp add` of Gemini CLI
0.61, https://cursor.com/docs/context/mcp
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.hosts import jsonc, toml
from sideshoot.hosts.folders import folder_of
from sideshoot.hosts.program import program, starts_sideshoot
from sideshoot.hosts.registration import Entry, Registration

if TYPE_CHECKING:
    from pathlib import Path

_HANDED_ON = [
    "CODEX_HOME",
    "CLAUDE_CONFIG_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
]
_HANDED_ON += ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"]
"""What agents find their login by. Codex hands on HOME, PATH and little else, and what is named."""

LONGEST_S = 3600
"""How long a call may take: a task takes longer than the minute that hosts wait otherwise."""


def codex() -> Registration:
    """In `config.toml`. `codex mcp add` would lose comments that stand in the tables of other servers."""
    more = {"env_vars": _HANDED_ON, "tool_timeout_sec": LONGEST_S}
    return Registration(
        name="codex",
        title="Codex",
        file=folder_of("CODEX_HOME", ".codex") / "config.toml",
        form=toml,
        entries=(Entry(("mcp_servers", "sideshoot"), _server() | more),),
        is_ours=_is_ours,
        works=_works,
        renew=_renewed,
        note='Codex asks before it uses what changes something; `default_tools_approval_mode = "approve"` allows it',
    )


def gemini() -> Registration:
    """In `settings.json`, where comments may stand."""
    more = {"timeout": LONGEST_S * 1000}
    folder = folder_of("GEMINI_CLI_HOME", "") / ".gemini"
    return _by_json("gemini", "Gemini CLI", folder / "settings.json", more)


def cursor() -> Registration:
    """In `mcp.json`."""
    return _by_json("cursor", "Cursor", folder_of("", ".cursor") / "mcp.json", {})


def _by_json(name: str, title: str, file: Path, more: dict[str, Any]) -> Registration:
    entry = Entry(("mcpServers", "sideshoot"), _server() | more)
    return Registration(name, title, file, jsonc, (entry,), _is_ours, _works, _renewed)


def _server() -> dict[str, Any]:
    command, *arguments = program()
    return {"command": command, "args": [*arguments, "mcp"]}


def _is_ours(value: Any) -> bool:
    return isinstance(value, dict) and starts_sideshoot(value.get("command"), value.get("args"))


def _renewed(old: Any, new: Any) -> Any:
    """What the user has set beside it stays."""
    if old is None:
        return new
    return {**old, "command": new["command"], "args": new["args"]}


def _works(value: Any) -> bool:
    """Whether it starts this Sideshoot, or is the user's own way of starting one."""
    if not isinstance(value, dict):
        return False
    if _is_ours(value):
        return [value["command"], *value["args"]] == [*program(), "mcp"]
    return (value.get("command"), value.get("args")) == ("sideshoot", ["mcp"])
