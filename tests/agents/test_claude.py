"""The real Claude Code, offline: it is answered by a policy, can be stopped, and its failures are told."""

from __future__ import annotations

import itertools
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.claude import ClaudeAgent
from sideshoot.errors import AgentUnavailable
from support.claude import set_up_claude
from support.models import USAGE, drop, fail, hang, play, say, shell, tool
from support.processes import await_true, long_sleep, of_the_job, running

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from support.models import ModelServer
    from support.repos import Repo

pytestmark = pytest.mark.agent("claude")

_numbers = itertools.count()


@pytest.fixture
def claude_home(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return set_up_claude(monkeypatch, tmp_path / "claude", models)


@pytest.fixture
def claude(claude_home: Path, tmp_path: Path) -> Round:
    folder = tmp_path / "work"
    folder.mkdir()
    return new_round(folder)


def new_round(folder: Path) -> Round:
    return Round(ClaudeAgent(), folder, f"claude{os.getpid()}n{next(_numbers)}")


def write(path: str, content: str = "new\n") -> dict[str, Any]:
    return tool("Write", file_path=path, content=content)


def test_a_task_is_done_and_told(claude: Round) -> None:
    old = claude.folder / "old.txt"
    old.write_text("one\n")
    steps = play(
        write("notes.txt"),
        tool("Read", file_path=str(old)),
        tool("Edit", file_path=str(old), old_string="one", new_string="two"),
        shell('echo "$SIDESHOOT_JOB" > made.txt'),
        shell("mv made.txt job.txt"),
        shell("echo no >&2; exit 3"),
        say("All done.", reasoning="That should do."),
    )
    result = claude.run(f"change some files {steps}")

    assert (result.succeeded, result.error, result.message) == (True, None, "All done.")
    assert left_in(claude.folder) == ["job.txt", "notes.txt", "old.txt"]
    assert (claude.folder / "job.txt").read_text().strip() == claude.job_id
    assert old.read_text() == "two\n"
    assert claude.of(EventKind.COMMAND)[-2:] == [
        {"command": "echo no >&2; exit 3", "status": "started"},
        {"command": "echo no >&2; exit 3", "status": "finished", "exit_status": 3},
    ]
    assert claude.of(EventKind.FILE_CHANGE) == [
        {"paths": [name], "status": status}
        for name in ("notes.txt", "old.txt")
        for status in ("started", "completed")
    ]
    assert claude.texts(EventKind.REASONING) == "That should do."
    assert claude.texts(EventKind.MESSAGE) == "All done."
    assert claude.of(EventKind.STARTED)[0]["thread_id"] == result.thread_id
    assert claude.of(EventKind.WARNING) == claude.of(EventKind.RAW) == []
    assert result.usage["input_tokens"] == 7 * USAGE["input"]
    assert result.usage["output_tokens"] == 7 * USAGE["output"]
    assert result.usage["cost_usd"] > 0
    assert claude.of(EventKind.USAGE)[-1] == result.usage
    assert of_the_job(claude.job_id) == []


def test_the_prompt_arrives_untouched(claude: Round, models: ModelServer) -> None:
    prompt = "--model x -- \"quoted\" 'single' $HOME `id` \\n\n\ttab ü 🌱 " + "x" * 100_000 + "\n"
    assert claude.run(prompt).succeeded
    assert said_to(models)[-1] == prompt


def test_a_prompt_that_is_no_text_is_shown_as_such(claude: Round, models: ModelServer) -> None:
    assert claude.run("before \udcff after").succeeded
    assert said_to(models)[-1] == "before \N{REPLACEMENT CHARACTER} after"


def test_a_slash_that_begins_no_command_is_a_failure(claude: Round, models: ModelServer) -> None:
    """Claude Code itself says that it succeeded."""
    result = claude.run("/prune the roses")
    assert not result.succeeded
    assert "Unknown command: /prune" in (result.error or "")
    assert models.asked == []


def test_it_has_no_tool_to_leave_the_workspace_or_to_put_off_work(
    claude: Round, models: ModelServer
) -> None:
    """A worktree of its own making would lie in the user's tree."""
    claude.run("x")
    names = {it["name"] for it in models.asked[-1].body["tools"]}
    assert "Bash" in names
    assert names.isdisjoint({"CronCreate", "EnterWorktree", "ExitWorktree", "ScheduleWakeup"})


def test_the_users_hooks_run_and_are_no_noise(claude: Round, claude_home: Path) -> None:
    log = claude_home / "hooks.log"
    events = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    hooks = {
        event: [{"hooks": [{"type": "command", "command": f"echo {event} | tee -a {log}"}]}]
        for event in events
    }
    (claude_home / "settings.json").write_text(json.dumps({"hooks": hooks}))
    assert claude.run(play(shell("true"), say("Done."))).message == "Done."
    assert log.read_text().split() == list(events)
    assert claude.of(EventKind.RAW) == claude.of(EventKind.WARNING) == []


def test_model_and_effort_are_passed_on(claude: Round, models: ModelServer) -> None:
    claude.run(play(say("x")), model="claude-opus-4-8", effort="low")
    body = models.asked[-1].body
    assert body["model"] == "claude-opus-4-8"
    assert body["output_config"]["effort"] == "low"
    assert claude.of(EventKind.STARTED)[0]["effort"] == "low"


def test_output_that_is_no_text_and_long_does_no_harm(claude: Round) -> None:
    steps = play(shell("printf '\\377\\376\\n'; seq 1 30000"), say("seen"))
    assert claude.run(steps).message == "seen"
    assert claude.of(EventKind.COMMAND)[-1]["exit_status"] == 0


def test_all_of_the_workspace_and_nothing_else_may_be_changed(claude: Round) -> None:
    below = claude.folder / "below"
    below.mkdir()
    (claude.folder / ".git").write_text("gitdir: elsewhere\n")
    outside = claude.folder.parent / "outside.txt"
    (claude.folder / "link").symlink_to(claude.folder.parent)
    steps = play(
        write("../beside.txt"),
        write(str(outside)),
        write(f"{claude.folder}/link/outside.txt"),
        write("../.git"),
        shell(f"echo x > {outside}"),
        shell("pwd > ../where"),
        say("done"),
    )
    result = claude.run(steps, folder=below)

    assert result.succeeded
    assert (claude.folder / "beside.txt").exists()
    assert (claude.folder / "where").read_text() == f"{below}\n"
    assert (claude.folder / ".git").read_text() == "gitdir: elsewhere\n"
    assert not outside.exists()
    warnings = [data["text"] for data in claude.of(EventKind.WARNING)]
    assert [text.split(":")[0] for text in warnings] == ["refused Write"] * 2 + ["refused Bash"]
    assert f"echo x > {outside}" in warnings[-1]


def test_what_was_refused_altogether_is_a_failure(claude: Round) -> None:
    """Claude Code itself says that it succeeded."""
    outside = claude.folder.parent / "outside.txt"
    result = claude.run(play(shell(f"touch {outside}"), say("I could not.")))
    assert "refused" in (result.error or "")
    assert result.message == "I could not."
    assert claude.of(EventKind.COMMAND)[-1]["declined"]


def test_what_the_users_settings_refuse_is_told(claude: Round, claude_home: Path) -> None:
    rules = '{"permissions": {"deny": ["Bash(shred:*)"]}}'
    (claude_home / "settings.json").write_text(rules)
    result = claude.run(play(shell("shred x"), shell("touch made"), say("x")))
    assert result.succeeded
    assert "refused Bash: shred x" in claude.texts(EventKind.WARNING)


def test_read_only_means_that_it_is_refused_to_write(claude: Round) -> None:
    steps = play(write("a"), shell("touch b"), shell("ls"), say("seen"))
    result = claude.run(steps, read_only=True)
    assert (result.succeeded, result.message) == (True, "seen")
    assert left_in(claude.folder) == []
    assert "refused Bash: touch b" in claude.texts(EventKind.WARNING)


def test_questions_are_answered_at_once(claude: Round, models: ModelServer) -> None:
    options = [{"label": "red", "description": "r"}, {"label": "blue", "description": "b"}]
    question = {"question": "Which?", "header": "Colour", "options": options, "multiSelect": False}
    result = claude.run(
        play(tool("AskUserQuestion", questions=[question]), shell("true"), say("Red."))
    )
    assert (result.succeeded, result.message) == (True, "Red.")
    assert "Nobody is there to answer" in models.asked[-1].text


def test_it_commits_on_its_own_branch(repo: Repo, claude_home: Path) -> None:
    worktree = repo.top.parent / "worktree"
    repo.git("worktree", "add", "-q", "-b", "sideshoot/k3f9/work", str(worktree))
    claude = new_round(worktree)
    steps = play(write("new.txt"), shell("git add -A && git commit -qm agent"), say("done"))
    assert claude.run(steps).succeeded
    assert repo.text("log", "--format=%s", "sideshoot/k3f9/work") == "agent\nfirst"
    assert claude.of(EventKind.WARNING) == []


def test_a_session_goes_on_in_another_folder(
    claude: Round, repo: Repo, models: ModelServer
) -> None:
    """Though the worktree that it was begun in is gone."""
    first, second = repo.top.parent / "first", repo.top.parent / "a second ü"
    repo.git("worktree", "add", "-q", "--detach", str(first))
    begun = new_round(first).run("plant a tree " + play(shell("true"), say("Planted.")))
    repo.git("worktree", "remove", "--force", str(first))
    repo.git("worktree", "add", "-q", "--detach", str(second))

    result = new_round(second).run(
        "water it " + play(shell("echo wet > tree"), say("Watered.")), thread_id=begun.thread_id
    )

    assert (result.succeeded, result.message) == (True, "Watered.")
    assert result.thread_id == begun.thread_id
    assert (second / "tree").exists()
    assert "plant a tree" in "\n".join(said_to(models))
    assert result.usage["output_tokens"] == 2 * USAGE["output"], "of this turn alone"


def test_a_session_that_is_gone(claude: Round) -> None:
    result = claude.run("x", thread_id="0199a213-81c0-7800-8aa1-bbab2a035a53")
    assert not result.succeeded
    assert "--fresh" in (result.error or "")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(fail(401, "bad key"), "claude auth login", id="401"),
        pytest.param(fail(429, "slow down"), "takes no more requests", id="429"),
        pytest.param(fail(500, "broken"), "the model provider failed", id="500"),
        pytest.param(fail(404, "model: x"), "--model", id="404"),
        pytest.param(drop(), "broke off", id="dropped"),
        pytest.param(fail(400, "prompt is too long: 9 > 8"), "no longer fits", id="too long"),
    ],
)
def test_a_provider_that_fails(claude: Round, step: dict[str, Any], words: str) -> None:
    result = claude.run("x" + play(shell("echo half > half.txt"), step))

    assert not result.succeeded
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")
    assert result.thread_id
    assert (claude.folder / "half.txt").exists()
    assert claude.texts(EventKind.ERROR) == result.error
    assert of_the_job(claude.job_id) == []


def test_what_claude_tries_again_is_a_warning(
    claude: Round, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "1")
    result = claude.run(play(fail(429, "slow down")))
    assert "takes no more requests" in (result.error or "")
    assert len(models.asked) == 2
    assert claude.texts(EventKind.WARNING) == "the model is asked again: rate_limit"


def test_stop_interrupts_and_leaves_no_process(claude: Round, models: ModelServer) -> None:
    sleep = long_sleep()
    steps = play(shell(f"echo begun > begun; {sleep}; echo late > late"), say("x"))
    claude.start(f"plant {steps}")
    claude.await_command(sleep)
    await_true(lambda: running(sleep))

    claude.stop.request(StopReason.CANCELLED)

    result = claude.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert claude.texts(EventKind.ERROR) == "the turn was interrupted"
    assert running(sleep) == []
    assert of_the_job(claude.job_id) == []
    assert left_in(claude.folder) == ["begun"]
    again = new_round(claude.folder).run("again " + play(say("ok")), thread_id=result.thread_id)
    assert again.succeeded
    assert "plant" in "\n".join(said_to(models))


def test_stop_while_the_provider_is_silent(claude: Round, models: ModelServer) -> None:
    claude.start(play(hang()))
    models.await_asked()
    claude.stop.request(StopReason.IDLE)
    assert claude.finish().error == "stopped: idle"
    assert of_the_job(claude.job_id) == []


def test_stop_before_the_start(claude: Round, models: ModelServer) -> None:
    claude.stop.request(StopReason.CANCELLED)
    assert claude.run(play(say("x"))).error == "stopped: cancelled"
    assert models.asked == []
    assert of_the_job(claude.job_id) == []


def test_commands_that_outlive_their_turn_are_ended(claude: Round) -> None:
    sleep = long_sleep()
    step = shell(f"{sleep}; echo late > late", run_in_background=True)
    result = claude.run(play(step, say("It runs on.")))
    assert (result.succeeded, result.message) == (True, "It runs on.")
    assert running(sleep) == []
    assert of_the_job(claude.job_id) == []
    assert left_in(claude.folder) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGINT, "the turn was interrupted"),
        (signal.SIGTERM, "claude ended with status 143"),
        (signal.SIGKILL, "claude was ended by SIGKILL"),
    ],
)
def test_an_end_from_outside_is_told_at_once(
    claude: Round, number: signal.Signals, words: str
) -> None:
    """It ends its command when interrupted, and else leaves it running."""
    sleep = long_sleep()
    claude.start(play(shell(sleep), say("x")))
    await_true(lambda: running(sleep))
    program = next(it for it in of_the_job(claude.job_id) if it.parent() == psutil.Process())
    os.kill(program.pid, number)
    result = claude.finish()
    assert result.error == words
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(claude.job_id) == []


def test_a_failing_listener_ends_claude(claude: Round) -> None:
    sleep = long_sleep()

    class Full(list):  # type: ignore[type-arg]
        def append(self, event: Any) -> None:
            if event.kind is EventKind.COMMAND:
                raise OSError(28, "No space left on device")

    claude.events = Full()
    with pytest.raises(OSError, match="No space left"):
        claude.run(play(shell(sleep), say("x")))
    assert running(sleep) == []
    assert of_the_job(claude.job_id) == []


def test_it_is_no_part_of_a_session_that_it_is_started_from(
    claude: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "outer")
    result = claude.run(play(shell('echo "$CLAUDE_CODE_SESSION_ID" > id'), say("x")))
    assert (claude.folder / "id").read_text().strip() == result.thread_id


def test_it_is_ready_with_a_key(claude_home: Path) -> None:
    readiness = ClaudeAgent().readiness()
    assert (readiness.installed, readiness.logged_in, readiness.remedy) == (True, True, "")
    assert (readiness.version or "").count(".") == 2


def test_without_a_login_the_remedy_is_said(
    claude: Round, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    readiness = ClaudeAgent().readiness()
    assert (readiness.installed, readiness.logged_in) == (True, False)
    assert readiness.remedy == "claude auth login"
    with pytest.raises(AgentUnavailable, match="`claude auth login`"):
        claude.run("x")
    assert models.asked == []
    assert of_the_job(claude.job_id) == []


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def said_to(models: ModelServer) -> list[str]:
    """What the user said in the last request, piece by piece."""
    messages = models.asked[-1].body["messages"]
    said = [message["content"] for message in messages if message["role"] == "user"]
    return [
        part["text"] if isinstance(part, dict) else content
        for content in said
        for part in (content if isinstance(content, list) else [content])
        if not isinstance(part, dict) or part["type"] == "text"
    ]


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "bypassPermissions"])
def test_read_only_holds_whatever_the_users_settings_allow(
    claude: Round, claude_home: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    allowed = {"allow": ["Bash", "Write", "Edit"], "defaultMode": mode}
    (claude_home / "settings.json").write_text(json.dumps({"permissions": allowed}))
    steps = play(write("a"), shell("touch b"), shell("> c"), shell("ls -a"), say("seen"))
    result = claude.run(steps, read_only=True)
    assert (result.succeeded, result.message) == (True, "seen")
    assert left_in(claude.folder) == []
    assert "declined" not in claude.of(EventKind.COMMAND)[-1]


SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["good", "bad"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}


def test_a_model_is_held_to_a_schema(claude: Round) -> None:
    steps = play(shell("ls"), tool("StructuredOutput", verdict="good"), say("x"))
    result = claude.run(steps, output_schema=SCHEMA, read_only=True)
    assert (result.succeeded, result.message) == (True, '{"verdict": "good"}')


def test_an_ephemeral_task_leaves_no_conversation(claude: Round, claude_home: Path) -> None:
    result = claude.run(play(say("seen")), ephemeral=True)
    assert (result.message, result.thread_id) == ("seen", None)
    assert list(claude_home.rglob("*.jsonl")) == []
