"""The real Gemini CLI, offline: it works, can be stopped, and its failures are told."""

from __future__ import annotations

import itertools
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.gemini import GeminiAgent
from sideshoot.agents.gemini.home import session_file
from sideshoot.errors import AgentUnavailable
from support.gemini import set_up_gemini
from support.models import USAGE, drop, fail, hang, play, say, shell, tool
from support.processes import await_true, long_sleep, of_the_job, running

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from support.models import ModelServer
    from support.repos import Repo

pytestmark = pytest.mark.agent("gemini")

_numbers = itertools.count()


@pytest.fixture
def gemini_home(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return set_up_gemini(monkeypatch, tmp_path / "gemini", models)


@pytest.fixture
def gemini(gemini_home: Path, tmp_path: Path) -> Round:
    folder = tmp_path / "work"
    folder.mkdir()
    return new_round(folder)


def new_round(folder: Path) -> Round:
    return Round(GeminiAgent(), folder, f"gemini{os.getpid()}n{next(_numbers)}")


def write(path: str) -> dict[str, Any]:
    return tool("write_file", file_path=path, content="new\n")


def test_a_task_is_done_and_told(repo: Repo, gemini_home: Path) -> None:
    """Edit, create, delete, shell, a command that fails, output that is no text, and a commit."""
    worktree = repo.top.parent / "worktree"
    repo.git("worktree", "add", "-q", "-b", "sideshoot/k3f9/work", str(worktree))
    for key, value in (("name", "Gardener"), ("email", "gardener@example.org")):
        repo.git("config", f"user.{key}", value)  # it hides the user's own configuration from git
    gemini = new_round(worktree)
    outside = worktree.parent / "outside.txt"
    change = {"old_string": "two", "new_string": "three", "instruction": "count on"}
    (worktree / "old.txt").write_text("one two\n")
    steps = play(
        write("notes.txt"),
        tool("replace", file_path="old.txt", **change),
        write(str(outside)),
        shell("echo made > made.txt; printf '\\377\\376\\n'; seq 1 30000"),
        shell('rm made.txt; echo "$SIDESHOOT_JOB" > job.txt'),
        shell("exit 3"),
        shell("echo no >&2; exit 3"),
        shell("git add -A && git commit -qm agent"),
        say("All done."),
    )
    result = gemini.run(f"change some files {steps}")

    assert (result.succeeded, result.error, result.message) == (True, None, "All done.")
    assert (worktree / "notes.txt").exists()
    assert (worktree / "old.txt").read_text() == "one three\n"
    assert not (worktree / "made.txt").exists()
    assert (worktree / "job.txt").read_text().strip() == gemini.job_id
    assert not outside.exists()
    assert repo.text("log", "--format=%s", "sideshoot/k3f9/work") == "agent\nfirst"
    ended = [it for it in gemini.of(EventKind.COMMAND) if it["status"] == "finished"]
    assert [it["exit_status"] for it in ended] == [None, 0, 3, None, 0], (
        "it tells those of silent commands"
    )
    assert [(it["paths"], it["status"]) for it in gemini.of(EventKind.FILE_CHANGE)] == [
        (["notes.txt"], "started"),
        (["notes.txt"], "completed"),
        (["old.txt"], "started"),
        (["old.txt"], "completed"),
        ([str(outside)], "started"),
        ([str(outside)], "failed"),
    ]
    assert "refused write_file" in gemini.texts(EventKind.WARNING)
    assert gemini.texts(EventKind.MESSAGE) == "All done."
    assert gemini.of(EventKind.STARTED)[0]["thread_id"] == result.thread_id
    assert result.usage["output_tokens"] == 9 * USAGE["output"]
    assert gemini.of(EventKind.USAGE)[-1] == result.usage
    assert of_the_job(gemini.job_id) == []


def test_the_prompt_arrives_untouched(gemini: Round, models: ModelServer) -> None:
    prompt = '--model x -- "quoted" $HOME `id` @nobody \\n\n\ttab ü 🌱 ' + "x" * 100_000 + "\n"
    below = gemini.folder / "below"
    below.mkdir()
    assert gemini.run(prompt, folder=below, model="gemini-2.5-flash", effort="low").succeeded
    assert said_to(models)[-1] == prompt
    assert "gemini-2.5-flash:" in models.asked[-1].path
    assert "--effort" in gemini.texts(EventKind.WARNING)


def test_read_only_means_that_it_has_no_tool_to_write(gemini: Round) -> None:
    result = gemini.run(play(write("a"), shell("touch b"), say("seen")), read_only=True)
    assert (result.succeeded, result.message) == (True, "seen")
    assert list(gemini.folder.iterdir()) == []
    assert "refused run_shell_command: touch b" in gemini.texts(EventKind.WARNING)
    assert gemini.of(EventKind.COMMAND)[-1]["declined"]


def test_a_session_goes_on_in_another_folder(gemini: Round, models: ModelServer) -> None:
    first = gemini.run("plant a tree " + play(shell("true"), say("Planted.")))
    elsewhere = gemini.folder.parent / "else where ü"
    elsewhere.mkdir()
    result = new_round(elsewhere).run(
        "water it " + play(shell("echo wet > tree"), say("Watered.")), thread_id=first.thread_id
    )
    assert (result.succeeded, result.message) == (True, "Watered.")
    assert (elsewhere / "tree").exists()
    assert "plant a tree" in "\n".join(said_to(models))
    assert result.thread_id


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(fail(401, "bad key"), "run `gemini`", id="401"),
        pytest.param(fail(429, "slow down"), "takes no more requests", id="429"),
        pytest.param(fail(500, "broken"), "the model provider failed", id="500"),
        pytest.param(drop(), "broke off", id="dropped"),
    ],
)
def test_a_provider_that_fails(gemini: Round, step: dict[str, Any], words: str) -> None:
    result = gemini.run("x" + play(shell("echo half > half.txt"), step))

    assert not result.succeeded
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")
    assert result.thread_id
    assert (gemini.folder / "half.txt").exists()
    assert gemini.texts(EventKind.ERROR) == result.error
    assert of_the_job(gemini.job_id) == []


def test_stop_leaves_no_process(gemini: Round) -> None:
    """Gemini CLI itself ends with status 0 then, and leaves its command running."""
    sleep = long_sleep()
    gemini.start(play(shell(f"echo begun > begun; {sleep}; echo late > late"), say("x")))
    await_true(lambda: running(sleep))
    gemini.stop.request(StopReason.CANCELLED)
    result = gemini.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(gemini.job_id) == []
    assert [path.name for path in gemini.folder.iterdir()] == ["begun"]


def test_stop_while_the_provider_is_silent(gemini: Round, models: ModelServer) -> None:
    gemini.start(play(hang()))
    models.await_asked()
    gemini.stop.request(StopReason.IDLE)
    assert gemini.finish().error == "stopped: idle"
    assert of_the_job(gemini.job_id) == []


def test_stop_while_it_waits_to_ask_again(
    gemini: Round, gemini_home: Path, models: ModelServer
) -> None:
    """With its usual settings it does so for a minute and a half, and says nothing of it."""
    settings = gemini_home / ".gemini" / "settings.json"
    facts = json.loads(settings.read_text())
    del facts["general"]["maxAttempts"]
    settings.write_text(json.dumps(facts))
    gemini.start(play(fail(500, "broken")))
    models.await_asked(2)
    gemini.stop.request(StopReason.IDLE)
    assert gemini.finish().error == "stopped: idle"
    assert of_the_job(gemini.job_id) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_in_the_middle_is_told_at_once(gemini: Round, number: signal.Signals) -> None:
    sleep = long_sleep()
    gemini.start(play(shell(sleep), say("x")))
    await_true(lambda: running(sleep))
    program = next(it for it in of_the_job(gemini.job_id) if it.parent() == psutil.Process())
    os.kill(program.pid, number)
    result = gemini.finish()
    words = "SIGKILL" if number == signal.SIGKILL else "it told no result"
    assert words in (result.error or "")
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(gemini.job_id) == []


def test_it_is_there_and_without_a_login_says_so(
    gemini: Round, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    readiness = GeminiAgent().readiness()
    assert (readiness.installed, readiness.logged_in, readiness.remedy) == (True, None, "")
    assert (readiness.version or "").count(".") == 2
    with pytest.raises(AgentUnavailable, match="not logged in; run `gemini`"):
        gemini.run("x")
    assert models.asked == []
    assert of_the_job(gemini.job_id) == []


def said_to(models: ModelServer) -> list[str]:
    """What the user said in the last request, piece by piece."""
    contents = models.asked[-1].body["contents"]
    said = [content["parts"] for content in contents if content["role"] == "user"]
    return [part["text"] for parts in said for part in parts if "text" in part]


def test_an_ephemeral_task_leaves_no_conversation(gemini: Round, tmp_path: Path) -> None:
    kept = gemini.run(play(say("kept")))
    assert session_file(str(kept.thread_id)) is not None
    files = set(tmp_path.rglob("session-*"))
    result = new_round(gemini.folder).run(play(say("seen")), ephemeral=True)
    assert (result.message, result.thread_id) == ("seen", None)
    assert set(tmp_path.rglob("session-*")) == files
