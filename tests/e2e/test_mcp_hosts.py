"""The MCP server under real hosts, offline: each tool once, as their models call them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.mcp.catalogue import TOOLS
from support.claude import set_up_claude
from support.codex import set_up_codex
from support.hosts import run_host
from support.models import ModelServer, mcp_tool, play, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

SERVER = [sys.executable, "-m", "sideshoot", "mcp"]

TASK = """it's "hostile": `touch evil` $(touch evil) --agent x\n\\ ; 'ä' 🌱"""

HOST = "HOST"
"""Stands for the agent that is the host."""

ROUND: list[tuple[str, dict[str, Any]]] = [
    ("run", {"command": ["sh", "-c", "echo new > new.txt; echo said"]}),
    ("status", {}),
    ("logs", {}),
    ("result", {}),
    ("diff", {}),
    ("keep", {}),
    ("review", {"agent": HOST, "focus": play(say("No weeds here."))}),
    ("undo", {}),
    ("discard", {}),
    ("run", {"command": ["sleep", "3600"], "background": True}),
    ("wait", {"timeout": "0.2s"}),
    ("cancel", {}),
    ("run", {"task": TASK, "agent": "reader"}),
    ("keep", {}),
]
"""A round with every tool of the server's."""


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def reader(home: Path) -> None:
    """An agent that writes down what it is asked to do."""
    folder = home / ".config" / "sideshoot"
    folder.mkdir()
    (folder / "config.toml").write_text('[agents.reader]\ncommand = ["tee", "read"]\n')


def round_of(agent: str) -> str:
    """The prompt by which an agent's model calls each tool."""
    calls = [
        mcp_tool(
            "sideshoot", name, **{key: agent if it is HOST else it for key, it in given.items()}
        )
        for name, given in ROUND
    ]
    return play(*calls, say("done"))


def register_with_codex(home: Path, *settings: str) -> None:
    lines = [
        "[mcp_servers.sideshoot]",
        f"command = {json.dumps(SERVER[0])}",
        f"args = {json.dumps(SERVER[1:])}",
        'default_tools_approval_mode = "approve"',
        *settings,
    ]
    with (home / "config.toml").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_the_round_has_every_tool() -> None:
    assert {name for name, _ in ROUND} == set(TOOLS)


def check_round(models: ModelServer, repo: Repo, sideshoot: Command) -> None:
    told = models.asked[-1].text  # which has all answers before it
    for word in ("new.txt", "+new", "No weeds here.", "wait_timed_out", "cancelled"):
        assert word in told, word
    assert repo.read("read") == TASK.encode()
    assert not repo.exists("new.txt")
    assert not repo.exists("evil")
    jobs = sideshoot.json("status", "--all")["jobs"]
    assert [(job["outcome"], job["decision"]) for job in jobs] == [
        ("succeeded", "kept"),
        ("cancelled", "open"),
        ("succeeded", "open"),
        ("succeeded", "discarded"),
    ]


@pytest.mark.agent("claude")
@pytest.mark.usefixtures("reader")
def test_claude_code_calls_every_tool(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up_claude(monkeypatch, tmp_path / "claude", models)
    servers = {"mcpServers": {"sideshoot": {"command": SERVER[0], "args": SERVER[1:]}}}
    argv = ["claude", "-p", "--strict-mcp-config", "--mcp-config", json.dumps(servers)]
    argv += ["--allowedTools", "mcp__sideshoot", "--", round_of("claude")]
    assert "done" in run_host(repo.top, *argv)
    check_round(models, repo, sideshoot)


@pytest.mark.agent("codex")
@pytest.mark.usefixtures("reader")
def test_codex_calls_every_tool(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = set_up_codex(monkeypatch, tmp_path / "codex", models)
    register_with_codex(home, 'env_vars = ["CODEX_HOME"]')
    run_host(repo.top, "codex", "exec", "--json", round_of("codex"))
    check_round(models, repo, sideshoot)


@pytest.mark.agent("codex")
def test_a_job_goes_on_when_codex_has_waited_for_long_enough(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = set_up_codex(monkeypatch, tmp_path / "codex", models)
    register_with_codex(home, "tool_timeout_sec = 1")
    go = tmp_path / "go"
    script = f"while [ ! -e '{go}' ]; do sleep 0.05; done; echo x > x"
    run = mcp_tool("sideshoot", "run", command=["sh", "-c", script])
    run_host(repo.top, "codex", "exec", "--json", play(run, say("done")))
    assert "timed out" in models.asked[-1].text
    (job,) = sideshoot.json("status")["jobs"]
    assert job["state"] == "running"
    go.touch()
    sideshoot("wait").ok()
    assert [change["path"] for change in sideshoot.json("keep")["files"]] == ["x"]
