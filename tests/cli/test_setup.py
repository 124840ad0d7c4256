"""`sideshoot setup`: what is here to work with."""

from __future__ import annotations

import json
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support.agents import put_on_path
from support.claude import set_up_claude
from support.codex import set_up_codex
from support.command import Command
from support.gemini import set_up_gemini
from support.models import ModelServer
from support.opencode import set_up_opencode
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.repos import Repo


class Programs:
    """Programs of agents, on a PATH where little else is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("bwrap", "git", "setsid", "sh", "sleep", "touch"):
            if found := shutil.which(name):
                (folder / name).symlink_to(found)

    def put(self, name: str, script: str) -> None:
        program = self.folder / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def claude(self, *, logged_in: bool) -> None:
        told = json.dumps({"loggedIn": logged_in})
        self.put(
            "claude", f"case $1 in --version) echo '9.8.7 (Claude Code)';; *) echo '{told}';; esac"
        )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    found = Programs(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(found.folder))
    monkeypatch.setenv("COLUMNS", "100")
    return found


def agents_of(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {agent["name"]: agent for agent in shown["agents"]}


def steps_of(shown: dict[str, Any]) -> list[str]:
    return [step["command"] for step in shown["next_steps"]]


def test_where_nothing_is_installed_it_says_what_to_install(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    done = sideshoot("setup", "--json")

    assert done.status == 3
    shown = done.json
    assert (shown["ready"], shown["why_not"]) == (False, "no agent is installed")
    assert [agent["installed"] for agent in shown["agents"]] == [False] * 4
    assert steps_of(shown)[0] == "https://nodejs.org"
    assert {"npm install -g @openai/codex", "npm install -g @google/gemini-cli"} <= {
        *steps_of(shown)
    }
    assert shown["defaults"]["agent"] == {"value": None, "from": "none is installed"}
    text = sideshoot("setup")
    assert text.status == 3
    assert text.out.splitlines()[-1] == "not ready: no agent is installed"
    assert "claude    -  not installed" in text.out
    assert "  npm install -g @openai/codex" in text.out
    programs.put("npm", "exit 0")
    assert "https://nodejs.org" not in sideshoot("setup").out


def test_an_agent_that_is_ready_is_all_that_is_needed(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=True)

    shown = sideshoot.json("setup")

    assert (shown["ready"], shown["why_not"]) == (True, None)
    claude = agents_of(shown)["claude"]
    assert (claude["version"], claude["logged_in"], claude["default"]) == ("9.8.7", True, True)
    assert shown["git"]["ready"]
    assert shown["sandbox"]["mechanism"] in ("bubblewrap", "landlock", "none")
    assert shown["defaults"]["agent"]["from"] == "the first that is installed"
    text = sideshoot("setup").ok().out
    assert text.splitlines()[-1] == "ready: `sideshoot run TASK` goes to claude"


def test_a_login_that_is_missing_is_told_with_the_command(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=False)

    done = sideshoot("setup", "--json")

    assert done.status == 3
    assert done.json["why_not"] == "claude is not logged in"
    assert "claude auth login" in steps_of(done.json)
    assert agents_of(done.json)["claude"]["remedy"] == "claude auth login"


def test_only_the_default_agent_has_to_be_ready(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=True)
    programs.put("codex", "exit 3")

    shown = sideshoot("setup", "--json")

    assert shown.status == 3
    assert shown.json["why_not"] == "codex is not working"
    assert "codex does not answer" in agents_of(shown.json)["codex"]["detail"]
    assert steps_of(shown.json)[-1] == "sideshoot setup --default-agent claude"
    sideshoot("setup", "--default-agent", "claude").ok()
    sideshoot("setup").ok()


# -- defaults


def test_defaults_are_set_and_taken_back(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=True)
    options = ("--default-agent", "claude", "--default-model", "opus", "--default-effort", "high")

    shown = sideshoot.json("setup", *options)

    assert {name: one["value"] for name, one in shown["defaults"].items()} == {
        "agent": "claude",
        "model": "opus",
        "effort": "high",
    }
    assert {one["from"] for one in shown["defaults"].values()} == {"this repository"}
    assert sideshoot("config", "run.model").ok().out == "opus\n"
    shown = sideshoot.json("setup", "--default-model", "off", "--default-effort", "off")
    assert shown["defaults"]["model"] == {"value": None, "from": "the agent's own choice"}
    assert shown["defaults"]["agent"]["value"] == "claude"
    assert sideshoot.json("config", "run.model")["settings"][0]["from"] == "default"


def test_off_is_off_also_where_a_file_sets_it(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=True)
    repo.write("sideshoot.toml", "[run]\nmodel = 'opus'\n[agents.claude]\neffort = 'low'\n")

    before = sideshoot.json("setup")["defaults"]
    after = sideshoot.json("setup", "--default-model", "off")["defaults"]

    assert before["model"] == {"value": "opus", "from": "sideshoot.toml, line 2"}
    assert before["effort"] == {"value": "low", "from": "sideshoot.toml, line 4"}
    assert after["model"]["value"] is None


@pytest.mark.parametrize("value", ["nobody", "command"])
def test_where_one_default_is_wrong_none_is_set(
    repo: Repo, sideshoot: Command, programs: Programs, value: str
) -> None:
    programs.claude(logged_in=True)

    sideshoot("setup", "--default-model", "opus", "--default-agent", value).refused(
        "run.agent can't be", status=2
    )

    assert sideshoot("config", "run.model").ok().out == "\n"


def test_it_works_without_a_repository(tmp_path: Path, programs: Programs, home: Path) -> None:
    programs.claude(logged_in=True)
    own = home / ".config" / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text("[run]\nmodel = 'opus'\n")
    outside = Command(tmp_path)

    shown = outside.json("setup")

    assert shown["ready"]
    assert shown["defaults"]["model"] == {"value": "opus", "from": "your own file, line 2"}
    outside("setup", "--default-agent", "claude").refused("not in a git repository", status=3)


# -- what else keeps a task from being done


def test_what_run_would_refuse_is_not_ready(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    programs.claude(logged_in=True)
    repo.write("sideshoot.toml", "[run]\nagent = 'gemini'\n")
    done = sideshoot("setup", "--json")
    assert done.status == 3
    assert "run.agent = gemini (line 2)" in done.json["why_not"]

    repo.write("sideshoot.toml", "[run\n")
    done = sideshoot("setup", "--json")
    assert done.status == 3
    assert "sideshoot.toml: " in done.json["why_not"]

    repo.write("sideshoot.toml", "")
    programs.put("git", "echo git version 2.30.1")
    done = sideshoot("setup", "--json")
    assert done.status == 3
    assert "git 2.30.1 is too old" in done.json["why_not"]
    assert done.json["git"] == {"version": None, "ready": False}


def test_agents_of_files_are_asked_as_well(
    repo: Repo, sideshoot: Command, programs: Programs, tmp_path: Path
) -> None:
    programs.put("mine", "exit 0")
    text = f"""
        [agents.mine]
        command = "mine {{prompt}}"
        [agents.missing]
        command = "nowhere {{prompt}}"
        [agents.spoken]
        acp = "touch {tmp_path}/started"
        """
    repo.write("sideshoot.toml", text)
    assert "mine" not in agents_of(sideshoot("setup", "--json").json)
    assert not (tmp_path / "started").exists()

    sideshoot("config", "--trust").ok()
    shown = sideshoot.json("setup", "--default-agent", "mine")

    agents = agents_of(shown)
    assert agents["mine"]["ready"]
    assert not agents["missing"]["installed"]
    assert (agents["spoken"]["installed"], agents["spoken"]["ready"]) == (True, False)
    assert (tmp_path / "started").exists()


def test_no_program_is_left_when_it_is_interrupted(
    repo: Repo, sideshoot: Command, programs: Programs
) -> None:
    sleep = long_sleep()
    programs.put("claude", f"setsid {sleep}")
    process = sideshoot.start("setup")
    await_true(lambda: running(sleep), "the program that does not answer")

    process.send_signal(signal.SIGINT)

    assert sideshoot.finish(process).status == 130
    await_true(lambda: not running(sleep), "its end")


# -- the real ones


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def real(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.mark.agent("claude")
@pytest.mark.agent("codex")
@pytest.mark.agent("gemini")
@pytest.mark.agent("opencode")
def test_all_real_agents_are_ready(
    real: Command,
    monkeypatch: pytest.MonkeyPatch,
    models: ModelServer,
    tmp_path: Path,
) -> None:
    set_up_codex(monkeypatch, tmp_path / "codex", models)
    set_up_claude(monkeypatch, tmp_path / "claude", models)
    set_up_gemini(monkeypatch, tmp_path / "gemini", models)
    set_up_opencode(monkeypatch, models, tmp_path / "opencode")

    shown = real.json("setup")

    agents = agents_of(shown)
    assert {name: agent["ready"] for name, agent in agents.items()} == dict.fromkeys(
        ("claude", "codex", "gemini", "opencode"), True
    )
    assert all(agent["version"][0].isdigit() for agent in agents.values())
    assert agents["codex"]["default"]
    assert shown["next_steps"] == []


@pytest.mark.agent("claude")
@pytest.mark.agent("codex")
def test_real_agents_that_are_not_logged_in_say_so(
    real: Command, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    for name in ("claude", "codex"):
        put_on_path(monkeypatch, name)
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    (home / ".codex").mkdir()

    done = real("setup", "--json")

    assert done.status == 3
    agents = agents_of(done.json)
    assert (agents["claude"]["logged_in"], agents["codex"]["logged_in"]) == (False, False)
    assert {"codex login", "claude auth login"} <= {*steps_of(done.json)}
    assert done.json["why_not"] == "codex is not logged in"
    settings = home / ".config" / "sideshoot" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(
        """
        agents.codex.environment = { CODEX_API_KEY = "x" }
        agents.claude.environment = { ANTHROPIC_API_KEY = "x" }
        """
    )

    agents = agents_of(real.json("setup"))

    assert (agents["claude"]["logged_in"], agents["codex"]["logged_in"]) == (True, True)


def test_the_review_gate_is_set_here(repo: Repo, sideshoot: Command, programs: Programs) -> None:
    programs.claude(logged_in=True)
    shown = sideshoot.json("setup")["review_gate"]
    assert shown == {"enabled": False, "max_per_session": None, "cooldown_s": None}
    limits = ("--review-gate-max", "3", "--review-gate-cooldown", "10")
    shown = sideshoot.json("setup", "--enable-review-gate", *limits)["review_gate"]
    assert shown == {"enabled": True, "max_per_session": 3, "cooldown_s": 600}
    text = sideshoot("setup").ok().out
    assert "on          this repository, 3 a session at most, 10m between two" in text
    off = ("--review-gate-max", "off", "--review-gate-cooldown", "off")
    shown = sideshoot.json("setup", "--disable-review-gate", *off)["review_gate"]
    assert shown == {"enabled": False, "max_per_session": None, "cooldown_s": None}
    assert "review gate     off         this repository" in sideshoot("setup").ok().out


@pytest.mark.parametrize(
    "options",
    [
        ("--review-gate-max", "many"),
        ("--review-gate-cooldown", "soon"),
        ("--review-gate-max", "-1"),
        ("--disable-review-gate",),
    ],
)
def test_a_gate_that_can_not_be_is_not_set(
    repo: Repo, sideshoot: Command, programs: Programs, options: tuple[str, ...]
) -> None:
    sideshoot("setup", "--enable-review-gate", *options).refused(status=2)
    assert sideshoot("config", "gate.enabled").ok().out == "off\n"
