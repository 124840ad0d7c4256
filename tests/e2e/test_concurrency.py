"""Two commands at once, the same command twice, and commands that are interrupted."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from support.twins import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.command import Command, Result
    from support.repos import Repo

FOLDERS = 6


def at_once(sideshoot: Command, commands: Sequence[Sequence[str]]) -> list[Result]:
    """Start all of them, then wait for all of them."""
    started = [sideshoot.start(*argv) for argv in commands]
    return [sideshoot.finish(process) for process in started]


def clear(result: Result) -> Result:
    """A command that lost a race says so in one line and is no fault."""
    assert result.status in (0, 1), result
    assert "Traceback" not in result.err, result
    return result


class TestAtOnce:
    def test_runs(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        done = at_once(
            sideshoot,
            [("run", "--json", "--", "sh", "-c", f"echo {n} > made-{n}") for n in range(FOLDERS)],
        )
        jobs = [result.ok().json for result in done]
        assert repo.fingerprint() == before
        assert len({job["job_id"] for job in jobs}) == FOLDERS
        assert [job["files"][0]["path"] for job in jobs] == [f"made-{n}" for n in range(FOLDERS)]
        exclude = repo.read(".git/info/exclude")
        assert exclude.count(b".worktrees") == 1
        listed = str(sideshoot.json("status", "--all"))
        assert all(job["job_id"] in listed for job in jobs)

    def test_keeps_of_different_files(self, repo: Repo, sideshoot: Command) -> None:
        jobs = [sideshoot.run(f"echo {n} > made-{n}") for n in range(FOLDERS)]
        for result in at_once(sideshoot, [("keep", job["job_id"]) for job in jobs]):
            result.ok()
        for number in range(FOLDERS):
            assert repo.read(f"made-{number}") == b"%d\n" % number
            assert repo.staged()[b"made-%d" % number][1] == b"%d\n" % number

    def test_keeps_of_one_job(self, repo: Repo, sideshoot: Command) -> None:
        app = repo.read("app.py")
        job = sideshoot.run("echo more >> app.py; echo new > new.txt")
        done = [clear(r) for r in at_once(sideshoot, [("keep", job["job_id"])] * 3)]
        assert sum(r.status == 0 for r in done) >= 1
        assert repo.read("app.py") == repo.staged()[b"app.py"][1] == app + b"more\n"
        assert sideshoot.json("result", job["job_id"])["decision"] == "kept"

    def test_a_keep_and_a_discard_of_one_job(self, repo: Repo, sideshoot: Command) -> None:
        for _ in range(3):
            job = sideshoot.run("date +%N > new.txt")
            before = repo.fingerprint()
            both = [("keep", job["job_id"]), ("discard", job["job_id"])]
            keep, discard = map(clear, at_once(sideshoot, both))
            decision = sideshoot.json("result", job["job_id"])["decision"]
            if decision == "kept":
                assert (keep.status, discard.status) == (0, 1)
                sideshoot("undo", job["job_id"]).ok()
            else:
                assert decision == "discarded"
                assert (keep.status, discard.status) == (1, 0)
            assert settled(repo.fingerprint()) == settled(before)

    def test_a_git_command_that_holds_the_index_for_a_moment(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        job = sideshoot.run("echo new > new.txt")
        lock = repo.git_dir / "index.lock"
        lock.write_bytes(b"")
        process = sideshoot.start("keep", job["job_id"])
        time.sleep(0.6)  # there is no event for a keep that waits
        lock.unlink()
        sideshoot.finish(process).ok()
        assert repo.read("new.txt") == b"new\n"


class TestTwice:
    def test_keep(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        sideshoot("keep", job["job_id"]).ok()
        after = repo.fingerprint()
        again = sideshoot("keep", job["job_id"])
        assert "already" in again.out + again.err
        assert repo.fingerprint() == after

    def test_discard(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        sideshoot("discard", job["job_id"]).ok()
        again = sideshoot("discard", job["job_id"])
        assert "already" in again.out + again.err
        sideshoot("restore", job["job_id"]).ok()
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("new.txt") == b"new\n"

    def test_discard_then_keep(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        sideshoot("discard", job["job_id"]).ok()
        before = repo.fingerprint()
        sideshoot("keep", job["job_id"]).refused("restore")
        assert repo.fingerprint() == before

    def test_keep_then_discard(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        sideshoot("keep", job["job_id"]).ok()
        before = repo.fingerprint()
        sideshoot("discard", job["job_id"]).refused("kept")
        assert repo.fingerprint() == before

    def test_keep_undo_keep(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        job = sideshoot.run("echo new > new.txt; rm docs/guide.txt")
        for _ in range(2):
            sideshoot("keep", job["job_id"]).ok()
            assert repo.read("new.txt") == b"new\n"
            sideshoot("undo", job["job_id"]).ok()
            assert settled(repo.fingerprint()) == settled(before)
        assert sideshoot("undo", job["job_id"]).status == 1

    def test_one_run_after_another_builds_on_what_was_kept(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        jobs = []
        for _ in range(3):
            jobs.append(sideshoot.run("echo more >> list.txt"))
            sideshoot("keep", jobs[-1]["job_id"]).ok()
        assert repo.read("list.txt") == b"more\n" * 3
        for job in reversed(jobs):
            sideshoot("undo", job["job_id"]).ok()
        assert not repo.exists("list.txt")

    def test_undo_where_the_user_went_on(self, repo: Repo, sideshoot: Command) -> None:
        app = repo.read("app.py")
        job = sideshoot.run("echo agent >> app.py; echo new > new.txt")
        sideshoot("keep", job["job_id"]).ok()
        repo.write("app.py", b"# mine\n" + app + b"agent\n")
        sideshoot("undo", job["job_id"]).ok()
        assert repo.read("app.py") == b"# mine\n" + app
        assert not repo.exists("new.txt")

    def test_undo_where_the_user_changed_the_same(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo agent >> app.py; echo new > new.txt")
        sideshoot("keep", job["job_id"]).ok()
        repo.write("new.txt", "mine now\n")
        before = repo.fingerprint()
        sideshoot("undo", job["job_id"]).refused("new.txt")
        assert repo.fingerprint() == before


class TestFromWithin:
    @pytest.mark.parametrize("decision", ["keep", "discard"])
    def test_the_workspace_itself(self, decision: str, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        workspace = repo.top / ".worktrees" / job["job_id"]
        sideshoot(decision, job["job_id"], cwd=workspace).ok()
        assert repo.exists("new.txt") == (decision == "keep")
        assert not workspace.exists()

    def test_a_branch_that_is_checked_out_elsewhere(
        self, repo: Repo, sideshoot: Command, tmp_path: Path
    ) -> None:
        job = sideshoot.run("echo new > new.txt; git add -A; git commit -qm new")
        workspace = repo.top / ".worktrees" / job["job_id"]
        repo.git("checkout", "-q", "--detach", cwd=workspace)
        repo.git("worktree", "add", "-q", str(tmp_path / "other"), job["branch"])
        sideshoot("discard", job["job_id"]).ok()
        assert (tmp_path / "other" / "new.txt").exists()
        assert repo.git("rev-parse", "--verify", "HEAD", cwd=tmp_path / "other")


class TestNames:
    def test_the_beginning_of_an_id_is_enough(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo new > new.txt")
        sideshoot("diff", job["job_id"][:4]).ok()
        sideshoot("keep", job["job_id"][:4]).ok()
        assert repo.exists("new.txt")

    def test_the_only_one_need_not_be_named(self, repo: Repo, sideshoot: Command) -> None:
        first, second = (sideshoot.run(f"echo {n} > {n}.txt") for n in (1, 2))
        sideshoot("keep").refused(first["job_id"], second["job_id"], status=2)
        sideshoot("discard", first["job_id"]).ok()
        sideshoot("keep").ok()
        assert repo.exists("2.txt")

    def test_unknown_ones_are_refused(self, sideshoot: Command) -> None:
        for command in ("keep", "discard", "undo", "diff", "result", "restore", "logs", "cancel"):
            sideshoot(command, "nosuchjob").refused("nosuchjob", status=2)

    def test_no_task_is_an_error_that_leaves_nothing(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        assert sideshoot("run").status == 2
        assert repo.fingerprint() == before
        assert not repo.exists(".worktrees")


class TestOutcomes:
    def test_an_agent_that_fails_has_its_work_captured(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        before = repo.fingerprint()
        done = sideshoot("run", "--json", "--", "sh", "-c", "echo half > half.txt; exit 7")
        assert done.status == 1, done
        assert (done.json["outcome"], done.json["exit_code"]) == ("failed", 7)
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert repo.read("half.txt") == b"half\n"

    def test_an_agent_that_runs_too_long(self, repo: Repo, sideshoot: Command) -> None:
        script = "echo half > half.txt; sleep 300"
        done = sideshoot("run", "--json", "--timeout", "1s", "--", "sh", "-c", script)
        assert done.status == 124, done
        assert done.json["outcome"] == "timed_out"
        sideshoot("keep").ok()
        assert repo.read("half.txt") == b"half\n"

    def test_a_command_that_does_not_exist(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        done = sideshoot("run", "--", "no-such-program-anywhere")
        done.refused("no-such-program-anywhere", status=3)
        assert repo.fingerprint() == before

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupted_run_is_captured(
        self, number: signal.Signals, repo: Repo, sideshoot: Command
    ) -> None:
        before = repo.fingerprint()
        marker = repo.top.parent / "started"
        script = f"echo half > half.txt; touch {marker}; sleep 300"
        process = sideshoot.start("run", "--json", "--sandbox", "off", "--", "sh", "-c", script)
        until(marker.exists)
        process.send_signal(number)
        done = sideshoot.finish(process)
        assert done.status == 130, done
        assert done.json["outcome"] == "cancelled"
        assert repo.fingerprint() == before
        assert not left(script)
        sideshoot("keep").ok()
        assert repo.read("half.txt") == b"half\n"


class TestBackground:
    def test_a_job_tells_how_to_keep_it(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        job = sideshoot("run", "-b", "--json", "--", "sh", "-c", "echo new > new.txt").ok().json
        sideshoot("wait", job["job_id"]).ok()
        assert repo.fingerprint() == before
        for said in (sideshoot("result"), sideshoot("status", job["job_id"])):
            assert f"sideshoot keep {job['job_id']}" in said.ok().out + said.err
        assert sideshoot.json("result", job["job_id"])["files"][0]["path"] == "new.txt"
        sideshoot("keep", job["job_id"]).ok()
        assert repo.exists("new.txt")

    def test_a_running_job_can_be_cancelled_and_nothing_else(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        marker = repo.top.parent / "started"
        script = f"echo half > half.txt; touch {marker}; sleep 300"
        unfenced = ("--sandbox", "off")
        job = sideshoot("run", "-b", "--json", *unfenced, "--", "sh", "-c", script).ok().json
        until(marker.exists)
        before = repo.fingerprint()
        for command in ("keep", "discard", "undo"):
            assert sideshoot(command, job["job_id"]).status == 1
        assert repo.fingerprint() == before
        sideshoot("cancel", job["job_id"]).ok()
        assert not left(script)
        found = sideshoot.json("result", job["job_id"])
        assert (found["state"], found["outcome"]) == ("finished", "cancelled")
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("half.txt") == b"half\n"


def until(fact: Callable[[], Any], limit_s: float = 60.0) -> None:
    """Wait for a fact that another process brings about; there is no event to be had for it."""
    end = time.monotonic() + limit_s
    while not fact():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def left(script: str) -> list[str]:
    """Processes that still have an agent's script on their command line."""
    found: list[str] = []
    for process in psutil.process_iter(["cmdline"]):
        found += [word for word in process.info["cmdline"] or [] if script in word]
    return found
