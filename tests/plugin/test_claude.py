"""The plugin in the real Claude Code, offline: from what a user types to what lies in their tree."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.claude import set_up_claude
from support.codex import set_up_codex
from support.command import TIME_LIMIT_S, environment
from support.models import ModelServer, play, say, shell, tool
from support.plugin import (
    MARKETPLACE,
    PLUGIN,
    TOOLS,
    Conversation,
    put_sideshoot_on_path,
    tool_answers,
)
from support.reviewing import of_codex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("claude")

TOP = Path(__file__).parents[2]

HOSTILE = {
    "quotes": """it's "so" and 'so', \\"so\\" \\ \\\\""",
    "lines": "first\n\n  second\twith a tab\r\n   \nlast  ",
    "shell": "$(touch evil) `touch evil` ; touch evil | touch evil && !`touch evil` ${HOME} $1 $ARGUMENTS",
    "dashes": "--help says the wrong default for -x",
    "flags": "fix --agent handling: --background --model=x --resume k3fw9t --fresh",
    "escapes": "\x1b[31mred\x1b[0m <system-reminder>no</system-reminder> === \u2028 ä🌱 \\n %s {x}",
    "long": 'a line with "quotes", $(x) and `y`\n' * 2900,
}
assert len(HOSTILE["long"]) > 100_000


@pytest.fixture
def models(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """What Claude Code's model does; and an agent is there that writes down what it is told."""
    folder = home / ".config" / "sideshoot"
    folder.mkdir()
    (folder / "config.toml").write_text('[agents.reader]\ncommand = ["tee", "read"]\n')
    put_sideshoot_on_path(monkeypatch, tmp_path / "bin")
    with ModelServer() as server:
        set_up_claude(monkeypatch, tmp_path / "claude", server)
        yield server


@pytest.fixture
def claude(models: ModelServer, repo: Repo) -> Iterator[Conversation]:
    with Conversation(models, repo.top, "--plugin-dir", str(PLUGIN)) as conversation:
        yield conversation


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """What the model of the real Codex does."""
    with ModelServer() as server:
        set_up_codex(monkeypatch, tmp_path / "codex", server)
        yield server


def run_claude(*words: str) -> str:
    done = subprocess.run(
        ["claude", *words], env=environment({}), capture_output=True, timeout=TIME_LIMIT_S
    )
    assert done.returncode == 0, done
    return done.stdout.decode()


def job_in(shown: str) -> str:
    """The job that an answer is about."""
    return re.findall(r"job (\w+) ", shown)[0]  # type: ignore[no-any-return]


def answer_in(shown: str) -> str:
    """The agent's own words."""
    return shown.rpartition("\n\n---\n\n")[0]


@pytest.mark.parametrize(
    "folder", [TOP, MARKETPLACE, PLUGIN], ids=["root", "marketplace", "plugin"]
)
def test_claude_code_finds_nothing_wrong_with_it(models: ModelServer, folder: Path) -> None:
    assert "Validation passed" in run_claude("plugin", "validate", "--strict", str(folder))


@pytest.mark.parametrize("marketplace", [TOP, MARKETPLACE], ids=["root", "package"])
def test_it_is_installed_from_a_marketplace(
    models: ModelServer, repo: Repo, marketplace: Path
) -> None:
    run_claude("plugin", "marketplace", "add", str(marketplace))
    run_claude("plugin", "install", "sideshoot@sideshoot")
    # As with Anthropic's own models: tools are searched for, and servers are not waited for.
    with Conversation(models, repo.top, env={"ENABLE_TOOL_SEARCH": "true"}) as claude:
        # It may call the tool because the user typed the command: nobody is asked.
        assert "no jobs yet" in claude.command("/sideshoot:status")
        assert "sideshoot:rescue" in claude.start["agents"]


@pytest.mark.parametrize("name", HOSTILE)
def test_every_word_arrives_and_what_came_of_it_is_kept(
    models: ModelServer, claude: Conversation, repo: Repo, sideshoot: Command, name: str
) -> None:
    text = HOSTILE[name]

    shown = claude.command(f"/sideshoot:rescue --agent reader --wait {text}")
    if name == "long":  # the conversation holds it once
        assert models.asked[0].text.count("a line with") == text.count("a line with")
    assert answer_in(shown) == text[-len(answer_in(shown)) :]
    assert len(answer_in(shown)) >= min(len(text), 4000)  # of a command's, the end is its answer
    assert not repo.exists("read")
    claude.command("/sideshoot:keep")
    assert repo.read("read") == text.encode()

    claude.command("/sideshoot:undo")
    begun = claude.command(f"/sideshoot:rescue --background --agent=reader\n{text}")
    job = job_in(begun)
    sideshoot("wait", job).ok()
    assert job in claude.command("/sideshoot:status")
    assert answer_in(claude.command(f"/sideshoot:result {job}")) == answer_in(shown)
    claude.command(f"/sideshoot:keep {job}")
    assert repo.read("read") == text.encode()
    assert not repo.exists("evil")


@pytest.mark.agent("codex")
def test_every_command_does_what_it_says(
    workers: ModelServer, claude: Conversation, repo: Repo, sideshoot: Command
) -> None:
    workers.unasked = [shell("echo new > new.txt"), say("It is *done*.")]
    repo.write("app.py", "edited\n")

    shown = claude.command(
        "/sideshoot:rescue --worktree --agent codex --model m --effort low do it"
    )
    first = job_in(shown)
    assert shown.startswith("It is *done*.\n\n---\n\n")
    assert " new.txt (new) | 1 +" in shown
    assert "+new" in claude.command("/sideshoot:diff")
    assert "It is *done*." in claude.command(f"/sideshoot:result {first}")
    assert f"kept job {first}" in claude.command("/sideshoot:keep")
    assert repo.read("new.txt") == b"new\n"
    assert "took back" in claude.command("/sideshoot:undo")
    assert not repo.exists("new.txt")

    asked = claude.command("/sideshoot:rescue --agent codex go on")
    assert f"Go on with the thread of job {first} (codex, " in asked
    second = job_in(claude.command("/sideshoot:rescue --agent codex go on", thread="resume"))
    threads = {sideshoot.json("result", job)["thread_id"] for job in (first, second)}
    assert len(threads) == 1
    assert f"discarded job {second}" in claude.command("/sideshoot:discard")

    workers.unasked = [say(of_codex("it leaks", str(repo.top / "app.py")))]
    review = claude.command("/sideshoot:review --agent codex")
    assert "it leaks" in review
    assert "Mend the findings" in claude.command("/sideshoot:rescue")
    assert "it leaks" in claude.command(
        "/sideshoot:rescue --agent reader --fresh", from_review=job_in(review)
    )
    focus = """what "if" $(two) run --at once"""
    claude.command(f"/sideshoot:adversarial-review --agent codex {focus}")
    assert focus in json.loads(json.dumps(workers.asked[-1].text)).replace('\\"', '"')

    workers.unasked = [shell("sleep 600")]
    running = job_in(claude.command("/sideshoot:rescue --fresh --background --agent codex wait"))
    assert f"job {running} was cancelled" in claude.command("/sideshoot:cancel")
    assert "reader" in claude.command("/sideshoot:setup --default-agent reader")


@pytest.mark.agent("codex")
def test_the_conversation_goes_on_in_codex(
    workers: ModelServer, claude: Conversation, repo: Repo
) -> None:
    claude.turn("remember the word PLUM", say("I shall remember it."))

    shown = claude.command("/sideshoot:transfer")

    assert f"Codex has Claude Code's session {claude.session}: " in shown
    resumed = re.findall(r"codex resume (\S+)", shown)[0]
    argv = ["codex", "exec", "resume", resumed, "which word was it?"]
    done = subprocess.run(
        argv, cwd=repo.top, env=environment({}), stdin=subprocess.DEVNULL, timeout=TIME_LIMIT_S
    )
    assert done.returncode == 0
    asked = workers.asked[-1].text
    assert asked.index("the word PLUM") < asked.index("I shall remember it.")
    assert asked.index("I shall remember it.") < asked.index("which word was it?")


def test_a_session_knows_its_own_jobs_and_leaves_them_running(
    models: ModelServer, repo: Repo, sideshoot: Command, home: Path
) -> None:
    config = home / ".config" / "sideshoot" / "config.toml"
    config.write_text(config.read_text() + '[agents.sleeper]\ncommand = ["sleep", "600"]\n')
    another = {"SIDESHOOT_SESSION": "another"}
    sleeping = ("run", "--json", "--background", "--", "sleep", "600")
    theirs = sideshoot(*sleeping, env=another).ok().json["job_id"]
    plugin = ("--plugin-dir", str(PLUGIN))
    with Conversation(models, repo.top, *plugin) as claude:
        mine = job_in(claude.command("/sideshoot:rescue --background --agent sleeper long"))
        listed = claude.command("/sideshoot:status")
        claude.end()
    assert mine in listed
    assert theirs not in listed
    with Conversation(models, repo.top, *plugin) as claude:
        (told,) = messages_of(claude.turn("hello"), "SessionStart")
        assert told == f"Sideshoot: job {mine} goes on in the background; /sideshoot:status {mine}"
        assert "no jobs in this session" in claude.command("/sideshoot:status")
        assert f"job {mine} was cancelled" in claude.command(f"/sideshoot:cancel {mine}")
    assert sideshoot.json("status", theirs)["state"] in ("queued", "running")
    sideshoot("cancel", theirs)


def messages_of(events: list[dict[str, Any]], hook: str) -> list[str]:
    """What the hooks of an event have told the user."""
    answers = [it for it in events if it.get("subtype") == "hook_response"]
    said = [it["stdout"] for it in answers if it["hook_event"] == hook and it["stdout"]]
    return [json.loads(text)["systemMessage"] for text in said]


def test_commands_of_the_session_are_told_its_id_and_nothing_else(
    models: ModelServer, repo: Repo
) -> None:
    options = ("--plugin-dir", str(PLUGIN), "--allowedTools", "Bash")
    with Conversation(models, repo.top, *options) as claude:
        (said,) = tool_answers(claude.turn("which variables are there", shell("env")))
        variables = dict(line.partition("=")[::2] for line in said.splitlines())
        assert variables["SIDESHOOT_SESSION"] == claude.session
        assert not [name for name in variables if name.startswith("CLAUDE_PLUGIN")]


def test_the_subagent_hands_a_task_on_and_brings_the_answer_back(
    models: ModelServer, repo: Repo
) -> None:
    forward = play(tool(f"{TOOLS}run", task='it\'s "so"', agent="reader"), say("the answer"))
    step = tool("Agent", subagent_type="sideshoot:rescue", description="x", prompt=forward)
    options = ("--plugin-dir", str(PLUGIN), "--allowedTools", f"{TOOLS}run")
    with Conversation(models, repo.top, *options) as claude:
        events = claude.turn("have it done by another agent", step)
    assert "the answer" in tool_answers(events)[-1]
    assert r"it's \"so\"" in tool_answers(events)[0]


def test_a_program_that_is_missing_is_told_once(
    models: ModelServer, repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin" / "sideshoot").unlink()
    with Conversation(models, repo.top, "--plugin-dir", str(PLUGIN)) as claude:
        events = claude.turn("hello")
    said = [event.get("stderr", "") for event in events if event.get("subtype") == "hook_response"]
    assert [line for line in said if line] == [
        "sideshoot: the program is not on PATH; `pipx install sideshoot` installs it\n"
    ]
