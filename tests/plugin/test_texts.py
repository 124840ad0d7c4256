"""The files of the plugin agree with each other, and with the program that they come with."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot import __version__
from sideshoot.mcp.catalogue import SLASH_COMMAND, TOOLS
from sideshoot.plugin.typed import COMMANDS
from support.plugin import MARKETPLACE, PLUGIN
from support.plugin import TOOLS as PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
SCRIPT = "${CLAUDE_PLUGIN_ROOT}/scripts/sideshoot"
GUARD = "${CLAUDE_PLUGIN_ROOT}/scripts/guard"
"""A filter before it, for what happens often."""


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    for file in sorted(PLUGIN.rglob("*.md")):
        yield str(file.relative_to(PLUGIN)), file.read_text(encoding="utf-8")


def test_it_has_the_version_of_the_program() -> None:
    assert read(PLUGIN / ".claude-plugin" / "plugin.json")["version"] == __version__


def test_both_marketplaces_offer_the_same_plugin() -> None:
    ours, root = (read(at / ".claude-plugin" / "marketplace.json") for at in (MARKETPLACE, TOP))
    sources = [found["plugins"][0].pop("source") for found in (ours, root)]
    assert ours == root
    assert {(MARKETPLACE / sources[0]).resolve(), (TOP / sources[1]).resolve()} == {PLUGIN}


def test_every_slash_command_is_one_and_the_other_way_round() -> None:
    names = {file.stem for file in (PLUGIN / "commands").glob("*.md")}
    assert names == set(COMMANDS)
    for name in names:
        text = (PLUGIN / "commands" / f"{name}.md").read_text(encoding="utf-8")
        begins_a_job = name in SLASH_COMMAND.input["properties"]["command"]["enum"]
        assert (f'`command`: "{name}"' in text) == begins_a_job
        instead = (f"the tool `{name}` in its place", f"`sideshoot {name}` in a terminal")
        assert begins_a_job or any(words in text for words in instead)
        assert f"allowed-tools: {PREFIX}{SLASH_COMMAND.name}" in text
        assert "$ARGUMENTS" not in text  # a long task would be in the conversation twice


def test_the_tools_that_are_named_are_there() -> None:
    named = {tool for _, text in texts() for tool in re.findall(rf"{PREFIX}(\w+)", text)}
    assert named
    assert named <= {*TOOLS, SLASH_COMMAND.name}


def test_only_one_file_says_which_program_it_is() -> None:
    (server,) = read(PLUGIN / ".mcp.json")["mcpServers"].values()
    assert [server["command"], server["args"][0]] == ["sh", SCRIPT]
    hooks = read(PLUGIN / "hooks" / "hooks.json")["hooks"].values()
    commands = [hook["command"] for event in hooks for group in event for hook in group["hooks"]]
    assert commands
    ours = (f'sh "{SCRIPT}" hook ', f'sh "{GUARD}"')
    assert all(command.startswith(ours) for command in commands)
    guard = (PLUGIN / "scripts" / "guard").read_text(encoding="utf-8")
    assert 'sh "${0%/*}/sideshoot" hook ' in guard


def test_a_missing_program_is_told_when_it_matters(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        argv = ["/bin/sh", str(PLUGIN / "scripts" / "sideshoot"), *words]
        done = subprocess.run(argv, env={"PATH": str(tmp_path)}, capture_output=True, timeout=30)
        return done.returncode, done.stderr.decode()

    assert run("hook", "stop") == (0, "")
    for words in (["hook", "session-start"], ["mcp"]):
        status, said = run(*words)
        assert status == 1
        assert "pipx install sideshoot" in said
