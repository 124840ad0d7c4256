"""The real OpenCode, offline: it stays where it is put, it can be stopped, and its failures are told.

It takes seconds to start: what does not disturb each other is done in one turn.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.ending import mark
from sideshoot.agents.opencode import OpenCodeAgent
from sideshoot.errors import AgentUnavailable
from support.models import USAGE, drop, fail, hang, play, say, shell, tool
from support.opencode import set_up_opencode
from support.processes import await_true, long_sleep, running

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from support.models import ModelServer
    from support.repos import Repo

pytestmark = [pytest.mark.agent("opencode"), pytest.mark.timeout(100)]

_numbers = itertools.count()


@pytest.fixture
def settings(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with OpenCode's configuration."""
    return set_up_opencode(monkeypatch, models, tmp_path / "opencode")


@pytest.fixture
def opencode(settings: Path, tmp_path: Path) -> Round:
    folder = tmp_path / "work"
    folder.mkdir()
    return new_round(folder)


def new_round(folder: Path) -> Round:
    agent = OpenCodeAgent(patience_s=10, retries_s=1)
    return Round(agent, folder, f"opencode{os.getpid()}n{next(_numbers)}")


def of_the_job(job_id: str) -> list[psutil.Process]:
    """All processes that carry the job's marker."""
    name, _, value = mark(job_id).decode().partition("=")
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def write(path: Path, content: str) -> dict[str, Any]:
    return tool("write", filePath=str(path), content=content)


def edit(path: Path, old: str, new: str) -> dict[str, Any]:
    return tool("edit", filePath=str(path), oldString=old, newString=new)


def said_to(models: ModelServer) -> list[str]:
    """What the user said in the last request, message by message."""
    said = [it["content"] for it in models.asked[-1].body["messages"] if it["role"] == "user"]
    return [it if isinstance(it, str) else "\n".join(part["text"] for part in it) for it in said]


def test_a_task_is_done_and_told(repo: Repo, settings: Path, models: ModelServer) -> None:
    worktree = repo.top.parent / "worktree"
    repo.git("worktree", "add", "-q", "-b", "sideshoot/k3f9/work", str(worktree))
    below = worktree / "below"
    below.mkdir()
    before = (
        repo.text("rev-parse", "main"),
        repo.git("status"),
        (repo.common_dir / "config").read_bytes(),
    )
    (below / "seeds.txt").write_text("old\n")
    steps = play(
        write(worktree / "notes.txt", "one\n"),
        edit(below / "seeds.txt", "old", "new"),
        shell('pwd > where.txt; echo "$SIDESHOOT_JOB" > job.txt; echo no >&2; exit 3'),
        tool("todowrite", todos=[{"content": "dig", "status": "in_progress", "priority": "high"}]),
        write(repo.top / "leak.txt", "bad\n"),
        shell("git push origin main"),
        shell("git add -A && git commit -qm agent"),
        say("All done.", reasoning="Two files should do."),
    )
    prompt = (
        f"--model x \"quoted\" 'single' $HOME `id` \\n\n\ttab ü 🌱 {steps} " + "x" * 200_000 + "\n"
    )
    opencode = new_round(below)

    result = opencode.run(prompt, top=worktree, checkout=repo.top)

    assert (result.succeeded, result.error, result.message) == (True, None, "All done.")
    assert said_to(models)[-1] == prompt
    assert (worktree / "notes.txt").read_text() == "one\n"
    assert (below / "seeds.txt").read_text() == "new\n"
    assert (below / "where.txt").read_text() == f"{below}\n"
    assert (below / "job.txt").read_text() == f"{opencode.job_id}\n"
    assert repo.text("log", "--format=%s", "sideshoot/k3f9/work") == "agent\nfirst"
    assert not (repo.top / "leak.txt").exists()
    after = (
        repo.text("rev-parse", "main"),
        repo.git("status"),
        (repo.common_dir / "config").read_bytes(),
    )
    assert after == before
    changes = [(it["paths"], it["status"]) for it in opencode.of(EventKind.FILE_CHANGE)]
    assert changes[:4] == [
        (["notes.txt"], "started"),
        (["notes.txt"], "completed"),
        (["below/seeds.txt"], "started"),
        (["below/seeds.txt"], "completed"),
    ]
    assert changes[-1] == ([str(repo.top / "leak.txt")], "failed")
    commands = [it for it in opencode.of(EventKind.COMMAND) if it["status"] == "finished"]
    assert [it["exit_status"] for it in commands] == [3, None, 0]
    assert opencode.of(EventKind.PLAN) == [{"steps": [{"text": "dig", "status": "in_progress"}]}]
    assert opencode.texts(EventKind.REASONING) == "Two files should do."
    assert opencode.of(EventKind.MESSAGE) == [{"text": "All done.", "final": True}]
    assert opencode.of(EventKind.STARTED)[0]["thread_id"] == result.thread_id
    assert result.usage["input_tokens"] == 8 * USAGE["input"]
    assert result.usage["output_tokens"] == 8 * USAGE["output"]
    assert result.usage["cached_input_tokens"] == 8 * USAGE["cached"]
    assert opencode.of(EventKind.USAGE)[-1] == result.usage
    assert opencode.of(EventKind.RAW) == []
    assert of_the_job(opencode.job_id) == []


def test_a_mode_is_chosen(opencode: Round, models: ModelServer) -> None:
    assert opencode.run("look " + play(say("Looked.")), mode="plan").succeeded
    assert "plan" in str(models.asked[-1].body).lower()
    refused = new_round(opencode.folder).run("x", mode="no-such")
    assert "there is no mode 'no-such'; there are" in str(refused.error)


def test_a_session_goes_on_in_another_folder(opencode: Round, models: ModelServer) -> None:
    first = opencode.run("plant a tree \udcff" + play(shell("true"), say("Planted.")))
    elsewhere = opencode.folder.parent / "else where ü"
    elsewhere.mkdir()
    shutil.rmtree(opencode.folder)
    later = new_round(elsewhere)

    result = later.run(
        "water it " + play(shell("echo wet > tree"), say("Watered.")),
        thread_id=first.thread_id,
        model="offline/garden/2",
    )

    assert (result.succeeded, result.error, result.message) == (True, None, "Watered.")
    assert result.thread_id == first.thread_id
    assert (elsewhere / "tree").exists()
    assert not opencode.folder.exists()
    heard = "\n".join(said_to(models))
    assert "plant a tree \N{REPLACEMENT CHARACTER}" in heard
    assert f"You now work in {elsewhere}" in heard
    assert models.asked[-1].body["model"] == "garden/2"
    assert later.texts(EventKind.MESSAGE) == "Watered."
    assert result.usage["output_tokens"] == 2 * USAGE["output"], "of this turn alone"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(fail(401, "bad key"), "opencode auth login", id="401"),
        pytest.param(fail(429, "slow down"), "try again later", id="429"),
        pytest.param(fail(500, "broken"), "try again later", id="500"),
        pytest.param(drop(), "broke off", id="dropped"),
        pytest.param(say(""), "without a word", id="silence"),
    ],
)
def test_a_provider_that_fails(opencode: Round, step: dict[str, Any], words: str) -> None:
    before = [] if words == "without a word" else [shell("echo half > half.txt")]
    result = opencode.run("x" + play(*before, step))

    assert not result.succeeded
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")
    assert result.thread_id
    assert (opencode.folder / "half.txt").exists() == bool(before)
    assert of_the_job(opencode.job_id) == []


def test_stop_aborts_and_the_session_can_be_gone_on_with(
    opencode: Round, models: ModelServer
) -> None:
    sleep = long_sleep()
    opencode.start(
        "plant " + play(shell(f"echo begun > begun; {sleep}; echo late > late"), say("x"))
    )
    opencode.await_command(sleep)
    await_true(lambda: running(sleep))

    opencode.stop.request(StopReason.CANCELLED)

    result = opencode.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert running(sleep) == []
    assert of_the_job(opencode.job_id) == []
    assert sorted(path.name for path in opencode.folder.iterdir()) == ["begun"]

    again = new_round(opencode.folder).run("again " + play(say("ok")), thread_id=result.thread_id)

    assert (again.succeeded, again.message) == (True, "ok")
    assert "plant" in "\n".join(said_to(models))


def test_two_at_once_share_a_home(opencode: Round) -> None:
    other = new_round(opencode.folder)
    opencode.start(play(shell("until test -e two; do sleep 0.05; done"), say("one")))
    opencode.await_command("until")
    assert other.run(play(shell("touch two"), say("two"))).message == "two"
    assert opencode.finish().message == "one"


def test_stop_while_the_provider_is_silent(opencode: Round, models: ModelServer) -> None:
    opencode.start(play(hang()))
    models.await_asked()

    opencode.stop.request(StopReason.IDLE)

    assert opencode.finish().error == "stopped: idle"
    assert of_the_job(opencode.job_id) == []


def test_stop_before_the_start(opencode: Round, models: ModelServer) -> None:
    opencode.stop.request(StopReason.CANCELLED)
    assert opencode.run(play(say("x"))).error == "stopped: cancelled"
    assert models.asked == []
    assert of_the_job(opencode.job_id) == []


def test_a_server_that_is_killed_is_told_at_once(opencode: Round) -> None:
    sleep = long_sleep()
    opencode.start(play(shell(sleep), say("x")))
    opencode.await_command(sleep)
    await_true(lambda: running(sleep))
    servers = [it for it in of_the_job(opencode.job_id) if "serve" in it.cmdline()]
    for server in servers:
        server.send_signal(signal.SIGKILL)

    result = opencode.finish()

    assert not result.succeeded
    assert "opencode serve was ended by SIGKILL" in (result.error or "")
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(opencode.job_id) == []


def test_a_failing_listener_ends_opencode(opencode: Round) -> None:
    """Such as a log on a disk that is full."""
    sleep = long_sleep()

    class Full(list):  # type: ignore[type-arg]
        def append(self, event: Any) -> None:
            if event.kind is EventKind.COMMAND:
                raise OSError(28, "No space left on device")

    opencode.events = Full()
    with pytest.raises(OSError, match="No space left"):
        opencode.run(play(shell(sleep), say("x")))
    assert running(sleep) == []
    assert of_the_job(opencode.job_id) == []


def test_what_it_asks_is_answered(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edits are granted; what else the user wants to be asked about is not, and the turn goes on."""
    asking = {"edit": "ask", "webfetch": "ask", "bash": {"*": "allow", "touch *": "ask"}}
    set_up_opencode(monkeypatch, models, tmp_path / "opencode", permission=asking)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".env").write_text("SECRET=1\n")
    opencode = new_round(folder)

    result = opencode.run(
        play(
            write(folder / "new.txt", "x\n"),
            shell("touch touched.txt"),
            tool("read", filePath=str(folder / ".env")),
            shell("seq 100000"),
            say("Went on."),
        )
    )

    assert (result.succeeded, result.message) == (True, "Went on.")
    assert (folder / "new.txt").exists()
    assert not (folder / "touched.txt").exists()
    assert "SECRET=1" not in "\n".join(asked.text for asked in models.asked)
    warnings = opencode.texts(EventKind.WARNING)
    assert "(bash): touch" in warnings
    assert "(read): " in warnings
    assert "(edit)" not in warnings


def test_read_only_means_that_nothing_can_be_written(opencode: Round, models: ModelServer) -> None:
    (opencode.folder / "seeds.txt").write_text("oats\n")
    settings = opencode.folder / ".opencode"
    settings.mkdir()
    steps = play(
        write(opencode.folder / "made.txt", "x"),
        shell("echo x > made.txt"),
        tool("read", filePath=str(opencode.folder / "seeds.txt")),
        say("seen"),
    )
    result = opencode.run(steps, read_only=True)

    assert (result.succeeded, result.message) == (True, "seen")
    assert sorted(path.name for path in opencode.folder.rglob("*")) == [".opencode", "seeds.txt"]
    assert "are left out" in opencode.texts(EventKind.WARNING)
    read = opencode.of(EventKind.TOOL)[-1]
    assert (read["name"], read["status"]) == ("read", "finished")

    # The same conversation may write when it is gone on with for that.
    later = new_round(opencode.folder)
    steps = play(write(opencode.folder / "made.txt", "x"), say("made"))
    assert later.run(steps, thread_id=result.thread_id).message == "made"
    assert (opencode.folder / "made.txt").exists()
    assert "seen" in models.asked[-1].text


def test_a_model_that_is_not_there_and_a_session_that_is_not_there(
    opencode: Round, models: ModelServer
) -> None:
    assert "there is no model offline/weed" in (opencode.run("x", model="offline/weed").error or "")
    gone = new_round(opencode.folder).run("x", thread_id="ses_0123456789abcdefghijklmnop")
    assert "--fresh" in (gone.error or "")
    with pytest.raises(AgentUnavailable, match="provider/model, not 'garden-1'"):
        opencode.run("x", model="garden-1")
    assert models.asked == []
    assert of_the_job(opencode.job_id) == []


def test_it_is_ready_when_it_has_a_provider(settings: Path) -> None:
    readiness = OpenCodeAgent().readiness()
    assert (readiness.installed, readiness.logged_in) == (True, True)
    assert (readiness.version or "").count(".") == 2
    assert readiness.detail == "providers: offline"

    settings.write_text('{"enabled_providers": []}')
    readiness = OpenCodeAgent().readiness()
    assert (readiness.installed, readiness.logged_in) == (True, False)
    assert readiness.remedy == "opencode auth login"


def test_an_ephemeral_task_leaves_no_conversation(opencode: Round) -> None:
    result = opencode.run(play(say("seen")), ephemeral=True)
    assert (result.message, result.thread_id) == ("seen", None)
    told = opencode.of(EventKind.STARTED)[0]["thread_id"]
    gone = new_round(opencode.folder).run("x", thread_id=told)
    assert "no longer there" in (gone.error or "")
