"""Agents that a configuration file names, through the real command."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.fence.mechanism import Kind, find_mechanism
from support.acp import ARGV, set_up_acp
from support.models import ModelServer, play, say, shell

if TYPE_CHECKING:
    from support.command import Command
    from support.repos import Repo

TASK = "prune 'the' \"roses\"; $(id) {model} --yes"
PRUNER = "import sys; open('said', 'w').write(repr(sys.argv[1:])); print('Pruned.')"


def table(name: str, **facts: object) -> str:
    lines = [f"{key} = {as_toml(value)}" for key, value in facts.items()]
    return "\n".join([f"[agents.{name}]", *lines, ""])


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {json.dumps(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def own_file(text: str) -> None:
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def pruner(*words: str) -> str:
    command = shlex.join([sys.executable, "-c", PRUNER])
    return " ".join([command, *words])


def test_a_command_takes_the_task_as_one_word(repo: Repo, sideshoot: Command) -> None:
    own_file(table("pruner", command=pruner("--model={model}", "--", "{prompt}"), model="m"))
    before = repo.fingerprint()

    job = sideshoot("run", "--json", "--agent", "pruner", "--", TASK).ok().json

    assert (job["agent"], job["kind"], job["message"]) == ("pruner", "task", "Pruned.\n")
    assert repo.fingerprint() == before
    sideshoot("keep").ok()
    assert repo.read("said") == repr(["--model=m", "--", TASK]).encode()
    told = sideshoot("run", "--agent", "pruner", "--effort", "high", "again").ok().err
    assert "pruner takes no effort; --effort is left out" in told
    sideshoot("run", "--agent", "pruner", "--agent-mode", "plan", "x").refused("no modes", status=2)
    sideshoot("run", "--agent", "prunner", "x").refused("there are: claude, ", "pruner", status=3)


def test_that_of_a_repository_waits_for_consent(repo: Repo, sideshoot: Command) -> None:
    repo.write("sideshoot.toml", table("pruner", command=pruner("{prompt}")))

    sideshoot("run", "--agent", "pruner", "prune").refused(
        "agents.pruner = ", "sideshoot config --trust", status=3
    )
    assert not sideshoot.json("status")["jobs"]
    sideshoot("config", "--trust").ok()
    sideshoot("run", "--agent", "pruner", "prune").ok()
    repo.write("sideshoot.toml", table("pruner", command=pruner("{prompt}"), writable=["~/.ssh"]))
    sideshoot("run", "--agent", "pruner", "prune").refused("~/.ssh", "consent", status=3)


@pytest.mark.skipif(find_mechanism().kind is Kind.NONE, reason="no fence can be put up here")
def test_inside_the_fence_it_writes_what_its_table_names(
    repo: Repo, sideshoot: Command, home: Path
) -> None:
    (home / ".other").mkdir()
    script = "echo x > ~/.shears/made; echo x > ~/.other/made"
    own_file(table("pruner", command=["sh", "-c", script], writable=["~/.shears"]))

    job = sideshoot("run", "--json", "--agent", "pruner", "prune").json

    assert job["outcome"] == "failed"
    assert (home / ".shears" / "made").read_text() == "x\n"
    assert not (home / ".other" / "made").exists()


@pytest.mark.parametrize("name", [pytest.param(it, marks=pytest.mark.agent(it)) for it in ARGV])
@pytest.mark.timeout(240)
def test_one_behind_the_agent_client_protocol(
    name: str, repo: Repo, sideshoot: Command, monkeypatch: pytest.MonkeyPatch, roomy: Path
) -> None:
    with ModelServer() as models:
        driver = set_up_acp(name, monkeypatch, roomy, models)
        settings = {"acp": list(driver.argv), "environment": driver.environment}
        own_file("run.agent = 'tree'\n" + table("tree", **settings))
        task = f"plant a tree {play(shell('echo made > made.txt'), say('Planted.'))}"
        job = sideshoot("run", "--json", task).ok().json
        assert (job["agent"], job["message"]) == ("tree", "Planted.")
        if name != "gemini":  # says that it can go on, and can't (0.61)
            words = ("run", "--json", "--resume", f"water it {play(say('Watered.'))}")
            again = sideshoot(*words).ok().json
            assert (again["agent"], again["thread_id"]) == ("tree", job["thread_id"])
    sideshoot("keep").ok()
    assert repo.read("made.txt") == b"made\n"
