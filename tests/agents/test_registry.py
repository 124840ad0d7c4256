"""Agents by name."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents import registry
from sideshoot.agents.command import CommandAgent
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("name", registry.names())
def test_each_name_is_an_agent_of_that_name(name: str) -> None:
    assert registry.agent_named(name).name == name


def test_the_command_agent_is_there() -> None:
    assert isinstance(registry.agent_named("command"), CommandAgent)
    assert registry.is_installed("command")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AgentUnavailable, match=r"no agent 'gardener'.*codex, command"):
        registry.agent_named("gardener")


def test_the_default_is_the_first_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "codex")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert registry.default_agent().name == "codex"


def test_opencode_comes_after_codex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "opencode")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert registry.default_agent().name == "opencode"
    program(tmp_path, "codex")
    assert registry.default_agent().name == "codex"


def test_without_any_agent_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not registry.is_installed("codex")
    with pytest.raises(AgentUnavailable, match="npm install -g @openai/codex"):
        registry.default_agent()


def test_agents_are_imported_when_they_are_asked_for() -> None:
    script = (
        "import sys; from sideshoot.agents import registry; registry.names();"
        "print([name for name in sys.modules if name.startswith('sideshoot.agents.')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert said.decode().strip() == "['sideshoot.agents.registry']"
