"""Every tool does what the command of its name does, and answers what that prints with `--json`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.mcp.calls import called
from sideshoot.mcp.catalogue import TOOLS
from sideshoot.mcp.exchange import Exchange
from sideshoot.mcp.records import MOST_FILES
from support.mcp import Refused
from support.processes import await_true

if TYPE_CHECKING:
    from support.command import Command
    from support.mcp import Client
    from support.repos import Repo

EDIT = ["sh", "-c", "sed -i s/two/zwei/ docs/guide.txt; echo new > new.txt"]

TEXTS = {
    "quotes": """it's "quoted" `backticks` $(touch evil) ${HOME} \\ %s !! ; & | > x""",
    "lines": "first\n\n\tsecond\r\nlast\n",
    "dashes": "--agent codex -b -- --help",
    "words of ours": "last",
    "not ASCII": "ä 🌱 \u202e \x1b[31m \x07",
    "large": "0123456789abcde\n" * 6400,
}


class TestRun:
    def test_it_answers_what_the_command_prints(self, client: Client, sideshoot: Command) -> None:
        record = client.do("run", command=EDIT, name="a name")
        assert record == sideshoot.json("result", record["job_id"])
        assert [change["path"] for change in record["files"]] == ["docs/guide.txt", "new.txt"]
        assert set(record["actions"]) == {"diff", "keep", "discard"}

    def test_a_job_that_fails_is_a_failure_with_its_record(self, client: Client) -> None:
        result = client.call("run", command=["sh", "-c", "echo x > x; exit 7"])
        assert result["isError"]
        record = result["structuredContent"]
        assert (record["outcome"], record["exit_code"]) == ("failed", 7)
        assert [change["path"] for change in record["files"]] == ["x"]

    def test_in_the_background_it_returns_at_once(self, client: Client, tmp_path: Path) -> None:
        go = tmp_path / "go"
        script = f"while [ ! -e '{go}' ]; do sleep 0.05; done; echo x > x"
        record = client.do("run", command=["sh", "-c", script], background=True)
        assert record["state"] in ("queued", "running")
        assert set(record["actions"]) == {"status", "logs", "cancel"}
        go.touch()
        assert client.do("wait", jobs=[record["job_id"]])["jobs"][0]["outcome"] == "succeeded"

    def test_where_the_copy_starts_and_what_holds_it_can_be_said(
        self, client: Client, repo: Repo
    ) -> None:
        repo.write("app.py", "changed\n")
        script = "grep -c changed app.py; touch x || true"
        carried = client.do("run", command=["sh", "-c", script], sandbox="offline")
        bare = client.call("run", command=["sh", "-c", script], carry="none", timeout="1m")
        assert carried["message"].strip() == "1"
        assert bare["structuredContent"]["message"].strip() == "0"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({}, ["there is no task"]),
            ({"task": " "}, ["there is no task"]),
            ({"task": "x", "command": ["y"]}, ["give one of them"]),
            ({"task": "half \ud800"}, ["no text"]),
            ({"command": ["a\0b"]}, ["NUL"]),
            ({"command": ["true"], "timeout": "soon"}, ["timeout", "30s"]),
            ({"command": ["true"], "base": "no-such"}, ["no-such"]),
            ({"task": "x", "agent": "no-such"}, ["no-such"]),
            ({"task": "x", "resume": "zz9"}, ["zz9"]),
            ({"task": "x", "agent": "codex", "resume": "last"}, ["no earlier thread"]),
            ({"command": ["true"], "folder": "no-such"}, ["no-such"]),
            ({"command": ["true"], "sandbox": "off"}, ["write, offline"]),
            ({"command": ["true"], "in_place": True}, ["in_place"]),
        ],
    )
    def test_what_can_not_be_done_is_refused_before_it_begins(
        self, client: Client, arguments: dict[str, Any], words: list[str]
    ) -> None:
        client.refused("run", *words, **arguments)
        assert client.do("status")["jobs"] == []

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_a_task_reaches_the_agent_as_it_was_given(
        self, client: Client, repo: Repo, text: str
    ) -> None:
        folder = Path(os.environ["XDG_CONFIG_HOME"], "sideshoot")
        folder.mkdir()
        (folder / "config.toml").write_text('[agents.reader]\ncommand = ["tee", "read"]\n')
        client.do("run", task=text, agent="reader")
        client.do("keep")
        assert repo.read("read") == text.encode()
        assert not repo.exists("evil")

    def test_jobs_belong_to_the_session_of_the_client(
        self, client: Client, sideshoot: Command
    ) -> None:
        sideshoot.run("echo other > other")
        client.do("run", command=EDIT)
        # Both can be decided on, and this client means its own.
        assert client.do("diff")["files"][0]["path"] == "docs/guide.txt"


class TestSeeing:
    def test_status_lists_jobs_or_tells_all_of_one(
        self, client: Client, sideshoot: Command
    ) -> None:
        job = client.do("run", command=["sh", "-c", "echo said; echo x > x"])["job_id"]
        assert client.do("status") == sideshoot.json("status")
        assert client.do("status", job=job[:3])["latest"] == ["said"]

    def test_wait_tells_when_its_time_is_over(self, client: Client) -> None:
        client.do("run", command=["sleep", "3600"], background=True)
        record = client.do("wait", timeout="0.2s")
        assert record["wait_timed_out"]
        client.do("cancel")
        assert client.do("wait") == {"jobs": [], "wait_timed_out": False}

    def test_wait_for_any_returns_with_the_first(self, client: Client) -> None:
        slow = client.do("run", command=["sleep", "3600"], background=True)["job_id"]
        quick = client.do("run", command=["true"], background=True)["job_id"]
        jobs = {job["job_id"]: job for job in client.do("wait", any=True)["jobs"]}
        assert jobs[quick]["state"] == "finished"
        assert jobs[slow]["state"] == "running"
        assert not client.do("wait", jobs=[quick, slow], any=True)["wait_timed_out"]
        client.do("cancel", job=slow)

    def test_logs_are_the_last_events_or_those_after_one(self, client: Client) -> None:
        client.do("run", command=["sh", "-c", "echo one; echo two; echo x > x"])
        everything = client.do("logs")
        seqs = [event["seq"] for event in everything["events"]]
        assert everything["left_out"] == 0
        last = client.do("logs", limit=2)
        assert [event["seq"] for event in last["events"]] == seqs[-2:]
        assert last["left_out"] == len(seqs) - 2
        after = client.do("logs", after=seqs[0], limit=1)
        assert [event["seq"] for event in after["events"]] == [seqs[1]]

    def test_diff_has_the_patch(self, client: Client, sideshoot: Command) -> None:
        job = client.do("run", command=EDIT)["job_id"]
        record = client.do("diff")
        assert record["patch"].encode() == sideshoot("diff", job).ok().stdout
        assert record["patch_is_whole"]
        some = client.do("diff", paths=["new.txt"])
        assert "guide" not in some["patch"]
        assert "patch" not in client.do("diff", stat=True)
        client.refused("diff", "changed nothing at app.py", paths=["app.py"])

    def test_a_patch_that_can_not_be_shown_whole_says_so(self, client: Client) -> None:
        script = r"seq 1 30000 > long; printf 'caf\351\n' > latin"
        client.do("run", command=["sh", "-c", script])
        long = client.do("diff", paths=["long"])
        assert not long["patch_is_whole"]
        assert long["patch"].endswith("\n")
        latin = client.do("diff", paths=["latin"])
        assert r"caf\xe9" in latin["patch"]
        assert not latin["patch_is_whole"]

    def test_of_very_many_files_the_first_are_listed(self, client: Client) -> None:
        script = f"for n in $(seq 1 {MOST_FILES + 5}); do echo $n > f$n; done"
        record = client.do("run", command=["sh", "-c", script])
        assert len(record["files"]) == MOST_FILES
        assert record["files_left_out"] == 5


class TestDeciding:
    def test_keep_brings_and_undo_takes_back(self, client: Client, repo: Repo) -> None:
        client.do("run", command=EDIT)
        assert client.do("keep", dry_run=True)["dry_run"]
        assert not repo.exists("new.txt")
        kept = client.do("keep", paths=["new.txt"])
        assert kept["decision"] == "partly kept"
        assert repo.read("new.txt") == b"new\n"
        assert client.do("undo")["decision"] == "open"
        assert not repo.exists("new.txt")

    def test_a_conflict_is_a_failure_that_names_the_paths(self, client: Client, repo: Repo) -> None:
        client.do("run", command=EDIT)
        repo.write("docs/guide.txt", "one\nTWO\nthree\n")
        facts = client.refused("keep", "docs/guide.txt")
        assert (facts["type"], facts["exit_status"]) == ("KeepConflict", 1)
        assert facts["paths"] == ["docs/guide.txt"]
        assert repo.read("docs/guide.txt") == b"one\nTWO\nthree\n"
        assert client.call("keep", dry_run=True)["isError"]
        assert client.do("keep", conflicts="theirs")["decision"] == "kept"

    def test_keep_can_commit_or_make_a_branch(self, client: Client, repo: Repo) -> None:
        client.do("run", command=EDIT)
        assert client.do("keep", branch="tried")["branch"] == "tried"
        record = client.do("keep", commit=True, message="Grow")
        assert repo.git("log", "-1", "--format=%s").strip() == b"Grow"
        assert record["commit"]

    def test_options_that_contradict_each_other_are_refused(self, client: Client) -> None:
        client.do("run", command=EDIT)
        client.refused("keep", "choose one", commit=True, branch="x")
        client.refused("keep", "--commit", message="x")

    def test_discard_drops(self, client: Client, repo: Repo) -> None:
        job = client.do("run", command=EDIT)
        assert client.do("discard") == {"discarded": [job["job_id"]], "failed": []}
        await_true(lambda: not repo.exists(job["worktree"]))
        client.refused("discard", "no-such", jobs=["no-such"])

    def test_cancel_stops_what_this_client_began(self, client: Client, sideshoot: Command) -> None:
        other = sideshoot("run", "-b", "--json", "--", "sleep", "3600").ok().json["job_id"]
        client.refused("cancel", "in this session")
        mine = client.do("run", command=["sleep", "3600"], background=True)["job_id"]
        assert client.do("cancel")["job_id"] == mine
        assert client.do("cancel", job=other)["outcome"] == "cancelled"

    def test_what_is_not_finished_can_not_be_decided_on(self, client: Client) -> None:
        job = client.do("run", command=["sleep", "3600"], background=True)["job_id"]
        for tool in ("keep", "diff", "result"):
            client.refused(tool, "wait", job=job)
        client.refused("discard", "wait", jobs=[job])
        client.do("cancel")


def test_a_fault_of_ours_is_a_line_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # which is no repository, so that the report lies in the home
    exchange = Exchange(
        {"arguments": {}},
        session="s",
        tools=TOOLS,
        notify=lambda *_: None,
        ask_for_roots=lambda _: (),
    )
    result = called(replace(TOOLS["status"], place="sideshoot.mcp.looking:no_such"), exchange)
    assert result["isError"]
    error = result["structuredContent"]["error"]
    assert error["exit_status"] == 70
    assert "AttributeError" in Path(error["report"]).read_text()
    assert result["content"][0]["text"].startswith("a fault of Sideshoot's own (AttributeError)")


class TestResources:
    def test_diffs_and_logs_of_jobs_are_listed_and_read(
        self, client: Client, sideshoot: Command
    ) -> None:
        result = client.call("run", command=EDIT)
        job = result["structuredContent"]["job_id"]
        links = [part for part in result["content"] if part["type"] == "resource_link"]
        listed = client.request("resources/list")["resources"]
        assert [link["uri"] for link in links] == [resource["uri"] for resource in listed]
        diff, log = (self.read(client, resource["uri"]) for resource in listed)
        assert diff["text"].encode() == sideshoot("diff", job).ok().stdout
        assert diff["mimeType"] == "text/x-diff"
        assert '"kind":"finished"' in log["text"]

    def test_they_can_be_named_by_the_template(self, client: Client) -> None:
        job = client.do("run", command=["sh", "-c", r"printf '\377\n' > raw"])["job_id"]
        templates = client.request("resources/templates/list")["resourceTemplates"]
        assert [it["uriTemplate"] for it in templates] == [
            "sideshoot://{job}/diff{?folder}",
            "sideshoot://{job}/log{?folder}",
        ]
        assert "blob" in self.read(client, f"sideshoot://{job}/diff")

    @pytest.mark.parametrize(
        "uri",
        [
            "", "x", "file:///etc/passwd", "sideshoot://", "sideshoot://zz9/diff",
            "sideshoot://zz9/etc", "sideshoot://zz9/../diff", "sideshoot://[/diff", 7, None,
        ],
    )  # fmt: skip
    def test_there_are_no_others(self, client: Client, uri: Any) -> None:
        with pytest.raises(Refused) as refused:
            client.request("resources/read", {"uri": uri})
        assert refused.value.code == -32002
        assert refused.value.data == {"uri": uri}

    def read(self, client: Client, uri: str) -> dict[str, Any]:
        (contents,) = client.request("resources/read", {"uri": uri})["contents"]
        assert contents["uri"] == uri
        found: dict[str, Any] = contents
        return found
