"""Where an agent is put to work: what it can't do there is said before it begins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents import registry
from sideshoot.agents.acp import AcpAgent
from sideshoot.errors import AgentUnavailable
from sideshoot.model import Driver

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.base import Agent

PRUNER = AcpAgent("pruner", Driver("acp", ("pruner",)))
AGENTS = [*(registry.agent_named(it) for it in registry.names() if it != "command"), PRUNER]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_a_folder_that_it_can_not_be_told_is_refused(agent: Agent, tmp_path: Path) -> None:
    """Codex would not answer for two minutes, and OpenCode would edit in another folder."""
    folder = tmp_path / os.fsdecode(b"w\xff")
    folder.mkdir()
    with pytest.raises(AgentUnavailable, match=rf"{agent.name} works only in .*w\\xff") as failure:
        Round(agent, folder, "odd").run("x")
    assert failure.value.exit_status == 3
