"""The real Codex, offline: it works in its sandbox, it can be stopped, and its failures are told."""

from __future__ import annotations

import itertools
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.agents.base import EventKind, StopReason
from sideshoot.agents.codex import CodexAgent
from sideshoot.errors import AgentUnavailable
from support.codex import set_up_codex
from support.models import USAGE, drop, fail, hang, patch, play, say, shell
from support.processes import await_true, long_sleep, of_the_job, running

from .conftest import Round

if TYPE_CHECKING:
    from pathlib import Path

    from support.models import ModelServer
    from support.repos import Repo

pytestmark = pytest.mark.agent("codex")

_numbers = itertools.count()

ADD_NOTES = patch("*** Begin Patch\n*** Add File: notes.txt\n+one\n+two\n*** End Patch")


@pytest.fixture
def codex_home(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return set_up_codex(monkeypatch, tmp_path / "codex", models)


@pytest.fixture
def codex(codex_home: Path, tmp_path: Path) -> Round:
    folder = tmp_path / "work"
    folder.mkdir()
    return new_round(folder)


def new_round(folder: Path) -> Round:
    return Round(CodexAgent(), folder, f"codex{os.getpid()}n{next(_numbers)}")


def test_a_task_is_done_and_told(codex: Round) -> None:
    steps = play(
        shell('echo "$SIDESHOOT_JOB" > made.txt'),
        ADD_NOTES,
        say("All done.", reasoning="Two files should do."),
    )
    result = codex.run(f"make two files {steps}")

    assert (result.succeeded, result.error, result.message) == (True, None, "All done.")
    assert (codex.folder / "made.txt").read_text() == f"{codex.job_id}\n"
    assert (codex.folder / "notes.txt").read_text() == "one\ntwo\n"
    assert codex.of(EventKind.COMMAND) == [
        {"command": 'echo "$SIDESHOOT_JOB" > made.txt', "status": "started"},
        {"command": 'echo "$SIDESHOOT_JOB" > made.txt', "status": "finished", "exit_status": 0},
    ]
    assert codex.of(EventKind.FILE_CHANGE) == [
        {"paths": ["notes.txt"], "status": "started"},
        {"paths": ["notes.txt"], "status": "completed"},
    ]
    assert codex.texts(EventKind.REASONING) == "Two files should do."
    assert codex.texts(EventKind.MESSAGE) == "All done."
    assert codex.of(EventKind.STARTED)[0]["thread_id"] == result.thread_id
    assert result.usage["input_tokens"] == 3 * USAGE["input"]
    assert result.usage["output_tokens"] == 3 * USAGE["output"]
    assert codex.of(EventKind.USAGE)[-1] == result.usage
    assert codex.of(EventKind.RAW) == []
    assert of_the_job(codex.job_id) == []


def test_a_command_that_fails_is_told_and_the_turn_goes_on(codex: Round) -> None:
    result = codex.run(play(shell("echo no >&2; exit 3"), say("It did not work.")))

    assert result.succeeded
    assert codex.of(EventKind.COMMAND)[-1]["exit_status"] == 3
    assert result.message == "It did not work."


@pytest.mark.parametrize("size", [10, 100_000])
def test_the_prompt_arrives_untouched(codex: Round, models: ModelServer, size: int) -> None:
    prompt = "--model x -- \"quoted\" 'single' $HOME `id` \\n\n\ttab ü 🌱 " + "x" * size + "\n"
    assert codex.run(prompt).succeeded
    assert said_to(models)[-1] == prompt


def test_a_prompt_that_is_no_text_is_shown_as_such(codex: Round, models: ModelServer) -> None:
    assert codex.run("before \udcff after").succeeded
    assert said_to(models)[-1] == "before \N{REPLACEMENT CHARACTER} after"


def test_model_and_effort_are_passed_on(codex: Round, models: ModelServer) -> None:
    codex.run(play(say("x")), model="gpt-5.4", effort="high")
    body = models.asked[-1].body
    assert body["model"] == "gpt-5.4"
    assert body["reasoning"]["effort"] == "high"


def test_a_model_that_codex_does_not_know_is_a_warning(codex: Round) -> None:
    result = codex.run(play(ADD_NOTES, say("x")), model="garden-1")
    assert result.succeeded
    assert "garden-1" in codex.texts(EventKind.WARNING)
    assert (codex.folder / "notes.txt").exists()


def test_it_starts_in_a_subfolder_and_may_write_in_all_of_the_workspace(codex: Round) -> None:
    below = codex.folder / "below"
    below.mkdir()
    codex.run(play(shell("pwd > ../where; echo x > here"), say("x")), folder=below)
    assert (codex.folder / "where").read_text() == f"{below}\n"
    assert (below / "here").exists()


def test_nothing_outside_of_the_workspace_can_be_written(codex: Round) -> None:
    outside = codex.folder.parent / "outside.txt"
    result = codex.run(play(shell(f"echo x > {outside}; echo y > inside.txt"), say("x")))
    assert result.succeeded
    assert not outside.exists()
    assert (codex.folder / "inside.txt").exists()


def test_what_its_sandbox_refuses_holds_nothing_up(codex: Round, models: ModelServer) -> None:
    """Of such a command Codex mostly tells the model alone (0.169)."""
    seeds, outside = codex.folder / "seeds.txt", codex.folder.parent / "outside.txt"
    seeds.touch()
    steps = play(shell(f"echo x > {outside}"), shell(f"rm -f {seeds}"), shell("false"), say("x"))

    result = codex.run(steps)

    assert (result.succeeded, result.message) == (True, "x")
    assert seeds.exists()
    assert not outside.exists()
    assert "Read-only file system" in models.asked[-1].text
    told = [it["status"] for it in codex.of(EventKind.COMMAND)]
    assert told == ["started", "finished"] * (len(told) // 2)


def test_a_workspace_among_temporary_files_opens_none_of_the_others(
    codex: Round, codex_home: Path
) -> None:
    """Codex's usual policy leaves all of them writable, and so the user's tree as well."""
    usual = (codex_home / "config.toml").read_text().partition("[sandbox_workspace_write]")[0]
    (codex_home / "config.toml").write_text(usual)
    outside = codex.folder.parent / "outside.txt"
    steps = play(shell(f"echo x > {outside}; mktemp > made && echo y > $(cat made)"), say("x"))

    assert codex.run(steps).succeeded

    assert not outside.exists()
    made = (codex.folder / "made").read_text().strip()
    assert made.startswith("/")
    assert not os.path.lexists(made)


def test_read_only_means_that_nothing_can_be_written(codex: Round) -> None:
    result = codex.run(play(shell("echo x > made.txt; ls"), say("seen")), read_only=True)
    assert (result.succeeded, result.message) == (True, "seen")
    assert list(codex.folder.iterdir()) == []


def test_it_commits_on_its_own_branch_and_can_touch_nothing_else_of_git(
    repo: Repo, codex_home: Path
) -> None:
    git = repo.common_dir
    worktree = repo.top.parent / "worktree"
    repo.git("worktree", "add", "-q", "-b", "sideshoot/k3f9/work", str(worktree))
    admin = git / "worktrees" / "worktree"
    branch = "refs/heads/sideshoot/k3f9"
    roots = (admin, git / "objects", git / branch, git / "logs" / branch)
    for root in roots:
        root.mkdir(parents=True, exist_ok=True)
    before = (git / "config").read_bytes(), repo.text("rev-parse", "main"), repo.git("status")
    attempts = [
        f"echo bad >> {git}/config",
        f"echo bad > {git}/hooks/post-commit",
        "git update-ref refs/heads/main HEAD",
        "git update-ref refs/heads/new HEAD",
        "git tag new",
        f"git -C {repo.top} commit --allow-empty -m bad",
        f"echo bad > {repo.top}/leak",
    ]
    steps = [shell("echo new > new.txt; git add -A && git commit -qm agent"), *map(shell, attempts)]
    codex = new_round(worktree)

    result = codex.run(play(*steps, say("done")), writable=roots)

    assert result.succeeded
    assert repo.text("log", "--format=%s", "sideshoot/k3f9/work") == "agent\nfirst"
    after = (git / "config").read_bytes(), repo.text("rev-parse", "main"), repo.git("status")
    assert after == before
    assert repo.text("for-each-ref", "--format=%(refname:short)").split() == [
        "main",
        "sideshoot/k3f9/work",
    ]
    assert not (git / "hooks" / "post-commit").exists()
    assert not (repo.top / "leak").exists()


def test_a_thread_goes_on_in_another_folder(codex: Round, models: ModelServer) -> None:
    first = codex.run("plant a tree " + play(shell("true"), say("Planted.")))
    elsewhere = codex.folder.parent / "else where ü"
    elsewhere.mkdir()
    later = new_round(elsewhere)

    result = later.run(
        "water it " + play(shell("echo wet > tree"), say("Watered.")), thread_id=first.thread_id
    )

    assert (result.succeeded, result.message) == (True, "Watered.")
    assert result.thread_id == first.thread_id
    assert (elsewhere / "tree").exists()
    heard = "\n".join(said_to(models))
    assert "plant a tree" in heard
    assert f"You now work in {elsewhere}" in heard
    assert said_to(models)[-1].startswith("water it")
    assert result.usage["output_tokens"] == 2 * USAGE["output"], "of this turn alone"


def test_a_thread_that_is_gone(codex: Round) -> None:
    result = codex.run("x", thread_id="0199a213-81c0-7800-8aa1-bbab2a035a53")
    assert not result.succeeded
    assert "--fresh" in (result.error or "")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(fail(401, "bad key"), "codex login", id="401"),
        pytest.param(fail(429, "slow down"), "429", id="429"),
        pytest.param(fail(500, "broken"), "the model provider failed", id="500"),
        pytest.param(drop(), "broke off", id="dropped"),
        pytest.param(
            fail(400, "too long", "context_length_exceeded"), "no longer fits", id="too long"
        ),
    ],
)
def test_a_provider_that_fails(codex: Round, step: dict[str, Any], words: str) -> None:
    result = codex.run("x" + play(shell("echo half > half.txt"), step))

    assert not result.succeeded
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")
    assert result.thread_id
    assert (codex.folder / "half.txt").exists()
    assert words in codex.texts(EventKind.ERROR)
    assert of_the_job(codex.job_id) == []


def test_what_codex_tries_again_is_a_warning(
    codex: Round, models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_codex(monkeypatch, tmp_path / "codex", models, retries=1)
    result = codex.run(play(drop()))
    assert "broke off" in (result.error or "")
    assert len(models.asked) == 2
    assert len(codex.of(EventKind.ERROR)) == 1
    assert len(codex.of(EventKind.WARNING)) >= 1


def test_stop_interrupts_and_leaves_no_process(codex: Round) -> None:
    sleep = long_sleep()
    codex.start(play(shell(f"echo begun > begun; {sleep}; echo late > late"), say("x")))
    codex.await_command(sleep)
    await_true(lambda: running(sleep))

    codex.stop.request(StopReason.CANCELLED)

    result = codex.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(codex.job_id) == []
    assert left_in(codex.folder) == ["begun"]


def test_commands_that_do_not_carry_the_jobs_marker_end_as_well(
    codex: Round, codex_home: Path
) -> None:
    """A user can have Codex keep most variables from commands."""
    with (codex_home / "config.toml").open("a") as file:
        file.write('[shell_environment_policy]\ninherit = "core"\n')
    sleep = long_sleep()
    codex.start(play(shell(f"env > variables; {sleep}"), say("x")))
    await_true(lambda: running(sleep))
    codex.stop.request(StopReason.CANCELLED)
    codex.finish()
    assert running(sleep) == []
    assert "SIDESHOOT_JOB" not in (codex.folder / "variables").read_text()


def test_two_at_once_share_a_home(codex: Round) -> None:
    other = new_round(codex.folder)
    codex.start(play(shell("until test -e two; do sleep 0.05; done"), say("one")))
    codex.await_command("until")
    assert other.run(play(shell("touch two"), say("two"))).message == "two"
    assert codex.finish().message == "one"


def test_an_interrupted_thread_can_be_gone_on_with(codex: Round, models: ModelServer) -> None:
    codex.start("plant " + play(shell(long_sleep()), say("x")))
    codex.await_command("sleep")
    codex.stop.request(StopReason.TIMED_OUT)
    first = codex.finish()

    result = new_round(codex.folder).run("again " + play(say("ok")), thread_id=first.thread_id)

    assert result.succeeded
    assert "plant" in "\n".join(said_to(models))


def test_stop_while_the_provider_is_silent(codex: Round, models: ModelServer) -> None:
    codex.start(play(hang()))
    models.await_asked()

    codex.stop.request(StopReason.IDLE)

    assert codex.finish().error == "stopped: idle"
    assert of_the_job(codex.job_id) == []


def test_stop_before_the_start(codex: Round, models: ModelServer) -> None:
    codex.stop.request(StopReason.CANCELLED)
    assert codex.run(play(say("x"))).error == "stopped: cancelled"
    assert models.asked == []
    assert of_the_job(codex.job_id) == []


def test_commands_that_outlive_their_turn_are_ended(codex: Round) -> None:
    sleep = long_sleep()
    command = f"{sleep}; echo late > late"
    result = codex.run(play(shell(command, yield_time_ms=250), say("It runs on.")))
    assert (result.succeeded, result.message) == (True, "It runs on.")
    assert running(sleep) == []
    assert of_the_job(codex.job_id) == []


@pytest.mark.parametrize("whole", [False, True], ids=["the program", "every process of it"])
def test_a_server_that_is_killed_is_told_at_once(codex: Round, *, whole: bool) -> None:
    sleep = long_sleep()
    codex.start(play(shell(sleep), say("x")))
    codex.await_command(sleep)
    servers = [it for it in of_the_job(codex.job_id) if "app-server" in it.cmdline()]
    for server in sorted(servers, key=lambda it: it.pid)[: None if whole else 1]:
        server.send_signal(signal.SIGKILL)

    result = codex.finish()

    assert not result.succeeded
    assert "SIGKILL" in (result.error or "")
    assert result.thread_id
    assert running(sleep) == []
    assert of_the_job(codex.job_id) == []
    assert left_in(codex.folder) == []


def test_a_failing_listener_ends_codex(codex: Round) -> None:
    """Such as a log on a disk that is full."""
    sleep = long_sleep()

    class Full(list):  # type: ignore[type-arg]
        def append(self, event: Any) -> None:
            if event.kind is EventKind.COMMAND:
                raise OSError(28, "No space left on device")

    codex.events = Full()
    with pytest.raises(OSError, match="No space left"):
        codex.run(play(shell(sleep), say("x")))
    assert running(sleep) == []
    assert of_the_job(codex.job_id) == []


def test_its_standard_error_goes_to_its_file(codex: Round, tmp_path: Path) -> None:
    place = tmp_path / "stderr"
    place.write_text("from before\n")
    codex.run(play(say("x")), stderr=place)
    assert place.read_text().startswith("from before\n")


def test_it_is_ready_when_its_provider_needs_no_login(codex_home: Path) -> None:
    readiness = CodexAgent().readiness()
    assert readiness.installed
    assert readiness.logged_in
    assert (readiness.version or "").count(".") == 2
    assert readiness.remedy == ""


def test_without_a_login_the_remedy_is_said(codex: Round, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('model = "gpt-5.5"\n')

    readiness = CodexAgent().readiness()
    assert (readiness.installed, readiness.logged_in) == (True, False)
    assert readiness.remedy == "codex login"
    with pytest.raises(AgentUnavailable, match="`codex login`") as failure:
        codex.run("x")
    assert failure.value.exit_status == 3
    assert of_the_job(codex.job_id) == []


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def said_to(models: ModelServer) -> list[str]:
    """What the user said in the last request, piece by piece."""
    items = models.asked[-1].body["input"]
    said = [item["content"] for item in items if item.get("role") == "user"]
    return [part["text"] for content in said for part in content]


REVIEW = {
    "findings": [
        {
            "title": "[P1] Wrong",
            "body": "It must be 1.",
            "confidence_score": 0.8,
            "priority": 1,
            "code_location": {
                "absolute_file_path": "/somewhere/app.py",
                "line_range": {"start": 3, "end": 4},
            },
        }
    ],
    "overall_correctness": "patch is incorrect",
    "overall_explanation": "One is wrong.",
    "overall_confidence_score": 0.7,
}


def test_its_own_reviewer_answers_with_its_findings(
    repo: Repo, codex_home: Path, models: ModelServer
) -> None:
    repo.write("app.py", "one = 2\n")
    models.unasked = [shell("git diff; echo x > made.txt"), say(json.dumps(REVIEW))]
    codex = new_round(repo.top)
    before = repo.fingerprint()

    result = codex.run("", reviewer={"type": "uncommittedChanges"}, read_only=True)

    assert (result.succeeded, result.error) == (True, None)
    assert json.loads(result.message) == REVIEW
    assert "staged, unstaged, and untracked" in models.asked[0].text
    assert "+one = 2" in models.asked[1].text
    assert [data["text"] for data in codex.of(EventKind.MESSAGE)] == [result.message]
    assert result.usage["input_tokens"] == 2 * USAGE["input"]
    assert repo.fingerprint() == before


def test_words_of_the_reviewer_are_its_answer_where_there_are_no_findings(
    repo: Repo, codex_home: Path, models: ModelServer
) -> None:
    models.unasked = [say("I see nothing wrong.")]
    target = {"type": "custom", "instructions": "Look at $HOME, `id`."}
    result = new_round(repo.top).run("", reviewer=target, read_only=True, effort="high")
    assert (result.succeeded, result.message) == (True, "I see nothing wrong.")
    assert "Look at $HOME, `id`." in json.dumps(models.asked[0].body["input"])
    assert models.asked[0].body["reasoning"]["effort"] == "high"


def test_a_review_can_be_stopped(repo: Repo, codex_home: Path, models: ModelServer) -> None:
    models.unasked = [hang()]
    codex = new_round(repo.top)
    codex.start("", reviewer={"type": "uncommittedChanges"}, read_only=True)
    models.await_asked()
    codex.stop.request(StopReason.CANCELLED)
    result = codex.finish()
    assert (result.succeeded, result.error) == (False, "stopped: cancelled")
    assert of_the_job(codex.job_id) == []


SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}


def test_a_schema_is_handed_to_the_model(codex: Round, models: ModelServer) -> None:
    codex.run("judge", output_schema=SCHEMA)
    assert models.asked[0].body["text"]["format"]["schema"] == SCHEMA


def test_an_ephemeral_task_leaves_no_conversation(codex: Round, codex_home: Path) -> None:
    result = codex.run(play(say("seen")), ephemeral=True)
    assert (result.message, result.thread_id) == ("seen", None)
    assert list(codex_home.rglob("rollout-*")) == []
