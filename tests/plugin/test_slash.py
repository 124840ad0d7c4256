"""The tool `slash_command`: what the user typed is done, once, and what came of it is for them to see."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.git import discover
from sideshoot.jobs.store import Store
from support.codex import set_up_codex
from support.mcp import Client
from support.models import ModelServer, say
from support.reviewing import of_codex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

SESSION = "session-1"


class Host:
    """What Claude Code does with our plugin, without Claude Code: its hook, and its tool."""

    def __init__(self, repo: Repo, sideshoot: Command, client: Client) -> None:
        self.repo = repo
        self.sideshoot = sideshoot
        self.client = client

    def typed(self, prompt: str, *, session: str = SESSION) -> str:
        """The id under which a slash command is held."""
        event = {"session_id": session, "cwd": str(self.repo.top), "prompt": prompt}
        done = self.sideshoot("hook", "UserPromptSubmit", stdin=json.dumps(event).encode()).ok()
        told = done.json["hookSpecificOutput"]
        assert told["hookEventName"] == "UserPromptSubmit"
        return re.findall(r"`request` is (\w+)$", told["additionalContext"])[0]  # type: ignore[no-any-return]

    def called(self, request: str, **arguments: str) -> str:
        """What the tool answers, where that is no error."""
        answer = self.client.call("slash_command", request=request, **arguments)
        assert not answer["isError"], answer
        return answer["content"][0]["text"]  # type: ignore[no-any-return]

    def command(self, prompt: str, **arguments: str) -> str:
        return self.called(self.typed(prompt), **arguments)

    def refused(self, prompt: str, **arguments: str) -> str:
        request = self.typed(prompt)
        answer = self.client.call("slash_command", request=request, **arguments)
        assert answer["isError"], answer
        return answer["content"][0]["text"]  # type: ignore[no-any-return]

    def jobs(self) -> list[str]:
        """The ids of all jobs, the newest first."""
        return [job["job_id"] for job in self.sideshoot.json("status", "--all")["jobs"]]


@pytest.fixture
def host(repo: Repo, sideshoot: Command, home: Path) -> Iterator[Host]:
    """With an agent that writes down what it is asked to do."""
    folder = home / ".config" / "sideshoot"
    folder.mkdir()
    (folder / "config.toml").write_text('[agents.reader]\ncommand = ["tee", "read"]\n')
    with Client(repo.top, argv=["--slash-commands"]) as client:
        client.begin()
        yield Host(repo, sideshoot, client)


def test_only_the_plugin_has_it(repo: Repo) -> None:
    with Client(repo.top) as client:
        client.begin()
        names = [tool["name"] for tool in client.request("tools/list")["tools"]]
    assert "slash_command" not in names


def test_a_job_is_told_with_commands_that_work_anywhere(host: Host, tmp_path: Path) -> None:
    shown = host.command("/sideshoot:rescue --agent reader it's done")
    (job,) = host.jobs()
    assert shown.startswith("it's done\n\n---\n\n")
    assert " read (new) | 1 +\n 1 file changed, 1 insertion(+)\n" in shown
    assert f"`/sideshoot:keep {job}`" in shown
    lines = shown.rpartition("```sh\n")[2].splitlines()
    keep = next(line for line in lines if " keep " in line)
    subprocess.run(["sh", "-c", keep], cwd=tmp_path, check=True, capture_output=True)
    assert host.repo.read("read") == b"it's done"


def test_a_request_is_begun_once(host: Host) -> None:
    request = host.typed("/sideshoot:rescue --agent reader once")
    assert host.called(request) == host.called(request)
    assert len(host.jobs()) == 1


def test_what_it_prints_is_shown_as_it_is(host: Host) -> None:
    host.command("/sideshoot:rescue --agent reader ```x```")
    assert host.command("/sideshoot:diff").startswith("````diff\ndiff --git a/read b/read\n")
    assert host.command("/sideshoot:keep --dry-run").startswith("```text\n")
    assert "no job 'nope'" in host.refused("/sideshoot:keep nope")
    assert "no closing quotation" in host.refused("/sideshoot:status 'x")


def test_arguments_are_no_shell(host: Host) -> None:
    host.refused("/sideshoot:result $(touch evil)")
    host.refused("/sideshoot:keep `touch evil`")
    host.refused("/sideshoot:status nope;touch evil")
    assert not host.repo.exists("evil")


def test_a_long_patch_is_shown_by_its_sum(host: Host) -> None:
    host.command("/sideshoot:rescue --agent reader " + "many\n" * 6000)
    shown = host.command("/sideshoot:diff")
    assert "6,000 insertions" in shown
    assert "+many" not in shown
    assert f"diff -C {host.repo.top}" in shown


def test_a_job_of_the_session_is_meant(host: Host) -> None:
    host.called(host.typed("/sideshoot:rescue --agent reader theirs", session="other"))
    host.command("/sideshoot:rescue --agent reader mine")
    theirs, mine = reversed(host.jobs())
    listed = host.command("/sideshoot:status")
    assert mine in listed
    assert theirs not in listed
    assert theirs in host.command("/sideshoot:status --all")
    assert "mine\n" in host.command("/sideshoot:result")
    host.command("/sideshoot:keep")
    assert host.repo.read("read") == b"mine"
    assert "theirs" in host.command(f"/sideshoot:result {theirs}")
    assert "no running job in this session" in host.refused("/sideshoot:cancel")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rescue", "there is no task"),
        ("rescue --backgroud x", "did you mean --background?"),
        ("rescue --background --wait x", "contradict"),
        ("rescue --resume-last --fresh x", "contradict"),
        ("rescue --free --model m x", "--free chooses a model"),
        ("adversarial-review --free --agent codex x", "--free chooses among the models"),
        ("review what it does", "/sideshoot:adversarial-review FOCUS"),
        ("review --scope all", "working-tree"),
        ("review --pr x", "the number of a pull request"),
        ("result a b", "takes one job"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_begins_nothing(
    host: Host, words: str, said: str
) -> None:
    line = host.refused(f"/sideshoot:{words}")
    assert said in line
    assert "\n" not in line
    assert host.jobs() == []


def test_whether_to_go_on_with_a_thread_is_asked_once(host: Host) -> None:
    host.command("/sideshoot:rescue --agent reader first")
    (first,) = host.jobs()
    Store.open(discover(host.repo.top).state_dir).update(first, thread_id="t-1")

    request = host.typed("/sideshoot:rescue --agent reader second")
    asked = host.called(request)
    assert f"Question: Go on with the thread of job {first} (reader, " in asked
    assert "AskUserQuestion" in asked
    assert len(host.jobs()) == 1
    assert host.called(request, thread="fresh").startswith("second\n")
    assert host.command("/sideshoot:rescue --fresh --agent reader third").startswith("third\n")
    # A thread is one session's, and one agent's.
    other = host.typed("/sideshoot:rescue --agent reader fourth", session="other")
    assert host.called(other).startswith("fourth\n")
    assert "no agent 'another'" in host.refused("/sideshoot:rescue --agent another fifth")


def test_the_end_of_a_background_job_is_told_once_to_its_session(host: Host) -> None:
    def prompted(session: str) -> dict[str, Any]:
        event = {"session_id": session, "cwd": str(host.repo.top), "prompt": "go on"}
        done = host.sideshoot("hook", "user-prompt-submit", stdin=json.dumps(event).encode()).ok()
        return json.loads(done.stdout or b"{}")  # type: ignore[no-any-return]

    host.command("/sideshoot:rescue --agent reader --background in the background")
    host.command("/sideshoot:rescue --agent reader in the foreground")
    _, job = host.jobs()
    host.sideshoot("wait", job).ok()
    assert prompted("another") == {}
    assert prompted(SESSION) == {
        "systemMessage": f"Sideshoot: job {job} has ended (succeeded); /sideshoot:result {job}"
    }
    assert prompted(SESSION) == {}


def test_what_decides_is_done_once_each_time_that_it_is_typed(host: Host) -> None:
    host.command("/sideshoot:rescue --agent reader first")
    request = host.typed("/sideshoot:keep")
    assert "kept job" in host.called(request)
    host.command("/sideshoot:rescue --agent reader second")
    again = host.client.call("slash_command", request=request)
    assert "was carried out already" in again["content"][0]["text"]
    assert host.repo.read("read") == b"first"
    looking = host.typed("/sideshoot:status")
    assert all("second" in host.called(looking) for _ in range(2))


def test_without_the_hook_the_model_says_what_was_typed(host: Host) -> None:
    words = ' --agent reader it\'s "so"\n'
    answer = host.client.call("slash_command", command="rescue", words=words)
    assert answer["content"][0]["text"].startswith('it\'s "so"\n')
    assert "give `request`" in host.client.call("slash_command")["content"][0]["text"]
    # What decides about a job is never done on a model's word.
    host.client.refused("slash_command", "'command' has to be one of", command="keep")


def test_where_the_hook_works_the_models_words_are_not_taken_for_the_users(host: Host) -> None:
    host.command("/sideshoot:status")
    host.client.refused("slash_command", "only the user", command="rescue", words="evil")
    assert host.jobs() == []


@pytest.mark.agent("codex")
def test_a_review_is_told_and_its_findings_are_offered_as_a_task(
    host: Host, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("app.py", "edited\n")
    with ModelServer() as models:
        models.unasked = [say(of_codex("it leaks", str(repo.top / "app.py")))]
        set_up_codex(monkeypatch, tmp_path / "codex", models)
        with Client(repo.top, argv=["--slash-commands"]) as client:
            client.begin()
            inside = Host(repo, host.sideshoot, client)
            shown = inside.command("/sideshoot:review --agent codex")
            (review,) = inside.jobs()
            assert "it leaks" in shown
            assert f"`/sideshoot:rescue --from-review {review}`" in shown
            offer = inside.command("/sideshoot:rescue --agent reader")
            assert f"what review {review} found (1 finding, " in offer
            shown = inside.command("/sideshoot:rescue --agent reader", from_review=review)
            assert "it leaks" in shown.partition("---")[0]
