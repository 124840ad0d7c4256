"""What the commands of a round print and return, as a person or a program sees it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.command import PROGRAM
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

EDIT = "sed -i s/two/zwei/ docs/guide.txt; echo new > new.txt"


class TestRun:
    def test_output_passes_through_and_the_story_goes_to_standard_error(
        self, sideshoot: Command
    ) -> None:
        done = sideshoot("run", "--", "sh", "-c", f"printf out; echo err >&2; {EDIT}").ok()
        assert done.stdout == b"out"
        lines = done.err.splitlines()
        assert lines[0].startswith("job ")
        assert "err" in lines
        assert " docs/guide.txt | 2 +-" in lines
        assert " new.txt (new)  | 1 +" in lines
        assert [line.split("#")[1].strip() for line in lines[-3:]] == [
            "see what changed",
            "bring it into your tree",
            "drop it",
        ]

    def test_json_is_alone_on_standard_output(self, sideshoot: Command) -> None:
        done = sideshoot("run", "--json", "--", "sh", "-c", "echo out; echo x > x").ok()
        assert [change["path"] for change in done.json["files"]] == ["x"]
        assert "out\n" in done.err

    def test_actions_work_anywhere(self, sideshoot: Command, repo: Repo) -> None:
        job = sideshoot.run("echo x > x")
        assert set(job["actions"]) == {"diff", "keep", "discard"}
        subprocess.run(job["actions"]["keep"], shell=True, cwd="/", check=True, timeout=90)
        assert repo.read("x") == b"x\n"

    def test_in_the_users_own_tree_nothing_is_left_to_decide(
        self, sideshoot: Command, repo: Repo
    ) -> None:
        done = sideshoot("run", "--in-place", "--", "sh", "-c", EDIT).ok()
        assert "2 files changed" in done.err
        assert repo.exists("new.txt")
        assert not any(f"sideshoot {word} " in done.err for word in ("keep", "undo", "discard"))
        sideshoot("keep").refused("there is no job that could be kept", status=2)
        sideshoot("run", "--read-only", "--", "true").ok()
        assert sideshoot.json("status")["jobs"][0]["decision"] == "open"

    def test_a_background_job_prints_its_id(self, sideshoot: Command) -> None:
        job_id = sideshoot("run", "-b", "--", "true").ok().out.strip()
        assert sideshoot("wait", job_id).ok().out.startswith(f"job {job_id} succeeded")

    def test_a_command_reads_the_prompt_file(self, sideshoot: Command) -> None:
        done = sideshoot("run", "--prompt-file", "-", "--", "cat", stdin=b"to be read\n")
        assert done.ok().stdout == b"to be read\n"

    @pytest.mark.parametrize(
        ("words", "status", "said"),
        [
            (["--agent", "nobody", "fix it"], 3, "no agent 'nobody'"),
            (["--base", "nowhere", "--", "true"], 2, "'nowhere' names no commit"),
            (["--", "no-such-program"], 3, "no-such-program"),
            (["--", "false"], 1, "failed"),
            (["--timeout", "1s", "--", "sleep", "60"], 124, "timed out"),
        ],
    )
    def test_says_why_it_did_not_succeed(
        self, sideshoot: Command, words: list[str], status: int, said: str
    ) -> None:
        sideshoot("run", *words).refused(said, status=status)


class TestSeeing:
    @pytest.fixture
    def job(self, sideshoot: Command) -> dict[str, Any]:
        return sideshoot.run(EDIT)

    @pytest.mark.usefixtures("job")
    def test_diff_is_a_patch_that_git_takes(self, sideshoot: Command, repo: Repo) -> None:
        repo.git("apply", "--index", "-", stdin=sideshoot("diff").ok().stdout)
        assert repo.read("docs/guide.txt") == b"one\nzwei\nthree\n"

    @pytest.mark.usefixtures("job")
    def test_diff_in_short(self, sideshoot: Command, repo: Repo) -> None:
        assert sideshoot("diff", "--name-only").ok().stdout == b"docs/guide.txt\nnew.txt\n"
        stat = sideshoot("diff", "--stat", "guide.txt", cwd=repo.top / "docs").ok().out
        assert stat == " docs/guide.txt | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n"
        sideshoot("diff", "app.py").refused("changed nothing at app.py", status=2)
        assert sideshoot("diff", "--json", "--", "new.txt").json["insertions"] == 1

    def test_status_tells_of_one_and_of_all(self, sideshoot: Command, job: dict[str, Any]) -> None:
        heading, row = sideshoot("status").ok().out.splitlines()
        assert heading.split() == ["JOB", "AGENT", "STATE", "DECISION", "TIME", "TITLE"]
        assert row.startswith(f"{job['job_id']}  command  succeeded  open")
        details = sideshoot("status", job["job_id"]).ok().out
        assert f"workspace  {job['worktree']}\n" in details
        assert " in the workspace, " in details
        assert " in the store (counted " in details
        assert "changes    2 files changed" in details
        assert sideshoot.json("status", job["job_id"])["workspace_bytes"] > 0

    def test_sizes_are_counted_when_they_are_asked_for(
        self, sideshoot: Command, job: dict[str, Any]
    ) -> None:
        before = sideshoot.json("status", job["job_id"])
        (Path(job["worktree"]) / "new").write_bytes(bytes(3_000_000))
        assert sideshoot.json("status", job["job_id"])["workspace_bytes"] < 3_000_000

        heading, row = sideshoot("status", "--sizes").ok().out.splitlines()

        assert heading.split() == ["JOB", "AGENT", "STATE", "DECISION", "TIME", "SIZE", "TITLE"]
        assert " MB  sh -c" in row
        counted = sideshoot.json("status", job["job_id"])
        assert counted["workspace_bytes"] > 3_000_000
        assert counted["counted_at"] > before["counted_at"]
        assert sideshoot.json("status", "--sizes")["jobs"][0]["store_bytes"] > 0

    def test_a_running_job_is_counted_only_when_that_is_asked_for(
        self, sideshoot: Command, running: str
    ) -> None:
        assert sideshoot.json("status", running)["workspace_bytes"] is None
        assert sideshoot.json("status", running, "--sizes")["workspace_bytes"] > 0

    def test_logs_are_what_was_printed(self, sideshoot: Command) -> None:
        job = sideshoot.run("printf 'a\\377\\n'; echo b")
        assert sideshoot("logs", job["job_id"]).ok().stdout == b"a\xff\nb\n"
        events = sideshoot.json("logs", job["job_id"])["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert events[-1]["kind"] == "finished"

    def test_logs_follow_to_the_end(self, sideshoot: Command) -> None:
        script = "for n in 1 2 3; do echo $n; sleep 0.1; done"
        job_id = sideshoot("run", "-b", "--", "sh", "-c", script).ok().out.strip()
        assert sideshoot("logs", "-f", job_id).ok().stdout == b"1\n2\n3\n"
        assert sideshoot.json("result", job_id)["state"] == "finished"

    def test_a_running_job_has_no_result_yet(self, sideshoot: Command, running: str) -> None:
        for command in ("result", "diff", "keep", "discard"):
            sideshoot(command, running).refused(f"{running} is running")
        sideshoot("result").refused(f"{running} is running")

    def test_waiting_has_its_limits(self, sideshoot: Command, running: str) -> None:
        assert sideshoot("wait", "--timeout", "1s").status == 124
        done = sideshoot("status", running, "--wait", "--timeout", "1s", "--json")
        assert (done.status, done.json["wait_timed_out"]) == (124, True)
        other = sideshoot("run", "-b", "--", "false").ok().out.strip()
        done = sideshoot("wait", running, other, "--any", "--json")
        assert done.status == 1
        assert {job["job_id"]: job["state"] for job in done.json["jobs"]} == {
            running: "running",
            other: "finished",
        }


@pytest.fixture
def running(sideshoot: Command) -> Iterator[str]:
    """A job that runs until the test is over."""
    session = {"SIDESHOOT_SESSION": "mine"}
    job_id = sideshoot("run", "-b", "--", "sleep", "300", env=session).ok().out.strip()
    await_true(lambda: sideshoot.json("status", job_id)["state"] == "running")
    yield job_id
    sideshoot("cancel", job_id)


class TestDeciding:
    def test_conflicts_are_listed_with_what_to_do(self, sideshoot: Command, repo: Repo) -> None:
        job = sideshoot.run(EDIT)
        repo.write("docs/guide.txt", "one\ndeux\nthree\n")
        before = repo.fingerprint()
        for words in (["keep", "--dry-run"], ["keep"]):
            done = sideshoot(*words).refused("docs/guide.txt")
            assert "  docs/guide.txt" in (done.out + done.err).splitlines()
        assert f"keep {job['job_id']} --conflicts theirs" in done.err
        assert sideshoot("keep", "--json").json["error"]["paths"] == ["docs/guide.txt"]
        assert repo.fingerprint() == before

    def test_a_keep_and_its_undo_say_what_they_did(self, sideshoot: Command) -> None:
        job = sideshoot.run(EDIT)
        kept = sideshoot("keep").ok()
        assert kept.out.splitlines()[0] == f"kept job {job['job_id']}, staged"
        assert " 2 files changed, 2 insertions(+), 1 deletion(-)" in kept.out
        sideshoot("keep").refused("kept already")
        undone = sideshoot.json("undo")
        assert undone["decision"] == "open"
        assert {change["status"] for change in undone["files"]} == {"modified", "deleted"}

    def test_a_patch_touches_no_file(self, sideshoot: Command, repo: Repo) -> None:
        sideshoot.run(EDIT)
        before = repo.fingerprint()
        stdout = sideshoot("keep", "--patch", "-").ok().stdout
        place = repo.top.parent / "a change.patch"
        sideshoot("keep", "--patch", str(place)).ok()
        assert place.read_bytes() == stdout == sideshoot("diff").ok().stdout
        assert repo.fingerprint() == before
        sideshoot("keep", "--patch", str(place / "below")).refused("can't write")
        sideshoot("keep", "new.txt", "--patch", str(place)).ok()
        assert b"docs/guide.txt" not in place.read_bytes()

    def test_discarding_all_is_asked_for(self, sideshoot: Command) -> None:
        jobs = {sideshoot.run(f"echo {n} > {n}")["job_id"] for n in range(2)}
        sideshoot("discard").refused("several jobs can be meant", status=2)
        sideshoot("discard", "--all").refused("--yes", status=2)
        assert set(sideshoot.json("discard", "--all", "--yes")["discarded"]) == jobs
        sideshoot("discard", "--all", "--yes").ok()

    def test_what_was_discarded_comes_back(self, sideshoot: Command, repo: Repo) -> None:
        job = sideshoot.run(EDIT)
        sideshoot("discard").ok()
        sideshoot("restore").ok()
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("new.txt") == b"new\n"

    def test_only_jobs_of_the_session_can_be_meant_by_cancel(
        self, sideshoot: Command, running: str
    ) -> None:
        other = {"CLAUDE_CODE_SESSION_ID": "other"}
        sideshoot("cancel", env=other).refused("no running job in this session", status=2)
        sideshoot("cancel", "--session", "third").refused("in this session", status=2)
        assert sideshoot.json("cancel", "--session", "mine")["outcome"] == "cancelled"
        sideshoot("cancel", running, env=other).refused("finished already")


class TestLookingAfter:
    def test_gc_shows_what_is_held(self, sideshoot: Command) -> None:
        job = sideshoot.run("echo x > x")
        item, records = sideshoot.json("gc", "--dry-run")["items"]
        assert (item["job_id"], item["goes"]) == (job["job_id"], False)
        assert item["workspace_bytes"] + item["store_bytes"] == item["size_bytes"]
        assert records["kind"] == "records"
        assert "waits for a decision" in sideshoot("gc").ok().out
        sideshoot("gc", "--rebuild").ok()
        assert sideshoot.json("result")["job_id"] == job["job_id"]

    def test_the_demo_plays_a_whole_round(self, sideshoot: Command) -> None:
        done = sideshoot("demo").ok()
        for word in ("run", "diff", "keep", "undo", "discard"):
            assert f"$ sideshoot {word}" in done.out
        assert '+    return f"Hello, {name}!"' in done.out
        assert "A  test_greet.py" in done.out
        steps = sideshoot.json("demo")["steps"]
        assert all(step["exit_status"] == 0 for step in steps)

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_completion_scripts_are_sound(self, sideshoot: Command, shell: str) -> None:
        script = sideshoot("completion", shell).ok().stdout
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=script, check=True, timeout=60)
        assert b"_SIDESHOOT_COMPLETE" in script

    def test_jobs_are_completed(self, sideshoot: Command, repo: Repo) -> None:
        job_id = sideshoot.run("echo x > x")["job_id"]
        words = {"COMP_WORDS": f"sideshoot keep {job_id[:2]}", "COMP_CWORD": "2"}
        done = subprocess.run(
            [sys.executable, "-c", "from sideshoot.cli.main import main; main()"],
            cwd=repo.top,
            env={**os.environ, **words, "_SIDESHOOT_COMPLETE": "bash_complete"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == f"plain,{job_id}\n"


class TestTheSeedsWords:
    def test_task_is_run(self, sideshoot: Command) -> None:
        assert (
            json.loads(sideshoot("task", "--json", "--", "true").ok().stdout)["kind"] == "command"
        )

    def test_words_are_no_command(self, sideshoot: Command) -> None:
        sideshoot("run", "--agent", "command", "fix it").refused("run -- COMMAND", status=2)
        assert sideshoot.json("status", "--all")["jobs"] == []

    def test_worktree_cleanup_keeps_and_discards(self, sideshoot: Command, repo: Repo) -> None:
        first, second = (sideshoot.run(f"echo x > {name}")["job_id"] for name in "ab")
        sideshoot("worktree-cleanup", first, "--action", "keep").ok()
        sideshoot("worktree-cleanup", second, "--action", "discard").ok()
        assert repo.exists("a")
        assert sideshoot.json("result", second)["decision"] == "discarded"

    def test_without_a_thread_nothing_can_be_resumed(self, sideshoot: Command) -> None:
        sideshoot.run("true")
        found = sideshoot.json("task-resume-candidate")
        assert (found["available"], found["candidate"]) == (False, None)


def test_any_folder_can_be_named(repo: Repo) -> None:
    for words in (["-C", str(repo.top), "status"], ["status", "-C", str(repo.top)]):
        done = subprocess.run([*PROGRAM, *words], cwd="/", capture_output=True, timeout=60)
        assert done.stdout.startswith(b"no jobs yet")
    done = subprocess.run(
        [*PROGRAM, "-C", str(repo.top.parent), "status", "-C", repo.top.name],
        cwd="/",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert not (repo.top / ".git" / "sideshoot").exists()
