"""The words of the plugins that began this, gone through as their tables list them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from support.agents import put_on_path
from support.codex import set_up_codex
from support.models import ModelServer, say
from support.reviewing import answer, finding

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

AGENT = """#!/bin/sh
case "$*" in *fail*) exit 7 ;; esac
echo "$*" > asked.txt
echo "done: $*"
"""


@pytest.fixture(autouse=True)
def helper(home: Path, tmp_path: Path) -> None:
    """An agent of the user's own that does what it is asked at once, and is the default."""
    program = tmp_path / "helper"
    program.write_text(AGENT)
    program.chmod(0o755)
    file = home / ".config" / "sideshoot" / "config.toml"
    file.parent.mkdir()
    command = json.dumps([str(program), "{prompt}"])
    file.write_text(f'[run]\nagent = "helper"\n[agents.helper]\ncommand = {command}\n')


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("", 0),
        ("help", 0),
        ("--help", 0),
        ("frobnicate", 2),
        ("setup --json --enable-review-gate", 0),
        ("setup --disable-review-gate", 0),
        ("setup --enable-review-gate --disable-review-gate", 2),
        ("setup --review-gate-max 5 --review-gate-cooldown 10", 0),
        ("setup --review-gate-max off --review-gate-cooldown off", 0),
        ("setup --review-gate-max many", 2),
        ("setup --default-model a/b", 0),
        ("setup --default-model off --default-agent off", 0),
        ("task fix it", 0),
        ("task --write --wait --fresh fix it", 0),
        ("task --worktree --model m --effort low fix it", 0),
        ("task -m m --json fix it", 0),
        ("task --model=m fix it", 0),
        ("task --background fix it", 0),
        ("task --background --wait fix it", 2),
        ("task --resume --fresh fix it", 2),
        ("task --resume-last fix it", 2),  # there is no thread
        ("task --agent nobody fix it", 3),
        ("task fail", 1),
        ("task", 2),
        ("task --prompt-file missing", 2),
        ("task --prompt-file README.md", 0),
        ("status", 0),
        ("status --all --json", 0),
        ("status --wait --timeout-ms 60000 --poll-interval-ms 100", 0),
        ("status nobody", 2),
        ("result nobody", 2),
        ("cancel", 2),
        ("cancel nobody", 2),
        ("task-resume-candidate", 0),
        ("task-resume-candidate --json", 0),
        ("last-review", 0),
        ("last-review --json", 0),
        ("last-review --content", 0),
        ("worktree-cleanup", 2),
        ("worktree-cleanup nobody --action keep", 2),
        ("transfer --source missing.jsonl", 2),
        ("review --wait some words", 2),
        ("review --wait --background", 2),
        ("review --free --model m", 2),
        ("adversarial-review --base nowhere look here", 2),
    ],
)
def test_the_words_of_the_tables_work(
    repo: Repo, sideshoot: Command, words: str, status: int
) -> None:
    done = sideshoot(*words.split(), env={"PATH": f"{git_alone(repo)}:/bin"})

    assert done.status == status, done
    assert "Traceback" not in done.err
    assert "no such option" not in done.err
    assert not status or done.err or words.startswith("setup")  # an error is told
    if "--background" in words and not status:
        sideshoot("wait", "--timeout", "60s").ok()


def git_alone(repo: Repo) -> Path:
    """A folder with git and no agent."""
    folder = repo.top.parent / "git-alone"
    folder.mkdir()
    git = shutil.which("git")
    assert git is not None
    (folder / "git").symlink_to(git)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["result"],
        ["task-resume-candidate"],
        ["last-review"],
        ["setup"],
        ["task", "fix", "it"],
        ["worktree-cleanup", "JOB", "--action", "discard"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_takes_the_folder_as_cwd(
    repo: Repo, sideshoot: Command, tmp_path: Path, words: list[str]
) -> None:
    job = sideshoot("task", "--json", "fix it").ok().json["job_id"]
    outside = tmp_path / "outside"
    outside.mkdir()
    command, *rest = [job if word == "JOB" else word for word in words]

    done = sideshoot(command, "--cwd", str(repo.top), *rest, cwd=outside)

    assert done.status == 0, done


def test_a_keep_that_fails_is_not_0(repo: Repo, sideshoot: Command) -> None:
    job = sideshoot.run("echo theirs > app.py")["job_id"]
    repo.write("app.py", "mine\n")

    done = sideshoot("worktree-cleanup", job, "--action", "keep", "--json")

    assert done.status == 1
    assert repo.read("app.py") == b"mine\n"
    repo.git("checkout", "app.py")
    kept = sideshoot("worktree-cleanup", job, "--action", "keep", "--json").ok()
    assert kept.json["decision"] == "kept"
    assert repo.read("app.py") == b"theirs\n"
    assert sideshoot("worktree-cleanup", job, "--action", "discard").status == 1
    assert sideshoot("worktree-cleanup", job, "--action", "burn").status == 2


def test_a_task_is_handed_on_as_it_is(repo: Repo, sideshoot: Command) -> None:
    task = 'it\'s "x" $(touch evil) `y` --write\nand\\more'
    sideshoot("task", "--write", "--", task).refused(status=3)  # a command, as nobody is named
    job = sideshoot("task", "--write", "--json", "--agent", "helper", "--", task).ok().json

    assert job["message"] == f"done: {task}\n"
    assert not repo.exists("evil")


def test_a_wait_that_takes_too_long_says_so(repo: Repo, sideshoot: Command) -> None:
    job = sideshoot("task", "--background", "--", "sleep", "600").ok().out.strip()

    done = sideshoot("status", job, "--wait", "--timeout-ms", "200", "--json")

    assert done.status == 124
    assert done.json["wait_timed_out"] is True
    sideshoot("cancel", job).ok()
    assert sideshoot("status", job, "--json").json["state"] == "finished"


def test_the_last_review_is_told_and_printed(repo: Repo, sideshoot: Command) -> None:
    assert sideshoot("last-review").out == "NO_LAST_REVIEW\n"
    assert sideshoot("last-review", "--content").out == ""
    assert sideshoot.json("last-review") == {
        "available": False,
        "job_id": None,
        "updated_at": None,
    }


@pytest.mark.agent("codex")
def test_a_review_with_older_words_is_the_last_review(
    repo: Repo, sideshoot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("app.py", "a,b.py", "other.py"):
        repo.write(path, "edited\n")
    with ModelServer() as models:
        set_up_codex(monkeypatch, tmp_path / "codex", models)
        models.unasked = [say(answer(finding("it leaks")))]
        options = ["--wait", "--path", "app.py,missing.py", "--path", "a,b.py"]
        sideshoot("adversarial-review", "--agent", "codex", *options, "look").ok()
        told = models.asked[0].text

    assert "a,b.py" in told
    assert "other.py" not in told
    assert sideshoot("last-review").out == "LAST_REVIEW_AVAILABLE\n"
    assert "it leaks" in sideshoot("last-review", "--content").out
    found = sideshoot.json("last-review")
    assert found["available"]
    assert found["job_id"] in sideshoot("status").out


@pytest.mark.agent("opencode")
def test_a_free_model_is_one_of_opencodes(
    repo: Repo, sideshoot: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, "opencode")

    job = sideshoot("task", "--free", "--background", "--json", "fix it").ok().json

    assert job["agent"] == "opencode"
    assert job["model"].startswith("opencode/")
    assert job["model"].endswith("-free")
    sideshoot("cancel", job["job_id"])


def test_modes_of_opencode_are_no_agents(repo: Repo, sideshoot: Command) -> None:
    refused = sideshoot("task", "--agent", "plan", "fix it", env={"PATH": f"{git_alone(repo)}"})
    refused.refused("opencode is not installed", status=3)

    sideshoot("setup", "--default-agent", "plan")

    defaults = sideshoot("setup", "--json").json["defaults"]
    assert defaults["agent"] == {"value": "opencode", "from": "this repository"}
    assert "plan" in sideshoot("config", "run.agent_mode").out


def test_the_short_name_of_a_codex_model_is_spelled_out(repo: Repo, sideshoot: Command) -> None:
    from sideshoot.cli.older import by_full_name

    assert by_full_name({"agent": "codex", "model": "Spark"})["model"] == "gpt-5.3-codex-spark"
    assert by_full_name({"agent": "claude", "model": "spark"})["model"] == "spark"
    assert by_full_name({"agent": "codex", "model": None})["model"] is None
