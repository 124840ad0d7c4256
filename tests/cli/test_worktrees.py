"""`sideshoot hook worktree-create` and `worktree-remove`: a host's worktrees are jobs, and nothing is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.workspace.steps import VARIABLE
from support.command import PROGRAM, TIME_LIMIT_S, environment
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

HOST = """
import subprocess, sys
subprocess.run(["sh", "-c", '"$@"; true', "sh", *sys.argv[1:]])
print("made", flush=True)
sys.stdin.read()
"""
"""A host that calls its hook through a shell, and lives for as long as its standard input."""


def told(**facts: Any) -> bytes:
    return json.dumps({"session_id": "s-1", "transcript_path": "/x.jsonl", **facts}).encode()


def create(sideshoot: Command, repo: Repo, name: str = "beds") -> Path:
    stdin = told(cwd=str(repo.top), hook_event_name="WorktreeCreate", name=name)
    done = sideshoot("hook", "worktree-create", stdin=stdin, cwd=repo.top.parent).ok()
    (line,) = done.stdout.splitlines()
    return Path(line.decode())


def remove(sideshoot: Command, copy: Path, **facts: Any) -> bytes:
    given = {"cwd": str(copy), "hook_event_name": "WorktreeRemove", "worktree_path": str(copy)}
    done = sideshoot("hook", "worktree-remove", stdin=told(**{**given, **facts}), cwd=copy.parent)
    assert done.ok().stdout == b""
    return done.stderr


@pytest.fixture(autouse=True)
def ended(sideshoot: Command) -> Iterator[None]:
    """No job outlives its test: the host of these is the test's own process."""
    yield
    for job in sideshoot("status", "--json").json["jobs"]:
        if job["state"] != "finished":
            sideshoot("cancel", job["job_id"]).ok()


def test_a_worktree_is_a_job_with_the_users_uncommitted_work(
    repo: Repo, sideshoot: Command
) -> None:
    repo.write("app.py", "mine\n")
    before = repo.fingerprint()

    copy = create(sideshoot, repo)

    assert (copy / "app.py").read_text() == "mine\n"
    (job,) = sideshoot.json("status")["jobs"]
    assert (job["state"], job["title"]) == ("running", "worktree beds")
    assert repo.fingerprint() == before
    sideshoot("keep", job["job_id"]).refused("running")
    assert sideshoot("discard", job["job_id"]).status == 1
    assert copy.exists()


def test_its_work_is_kept_after_the_host_has_removed_it(repo: Repo, sideshoot: Command) -> None:
    copy = create(sideshoot, repo)
    (copy / "new.txt").write_text("new\n")

    assert b"the work is saved as job" in remove(sideshoot, copy)

    (job,) = sideshoot.json("status")["jobs"]
    assert (job["outcome"], job["decision"]) == ("succeeded", "open")
    assert [it["path"] for it in sideshoot.json("diff")["files"]] == ["new.txt"]
    sideshoot("keep").ok()
    assert repo.read("new.txt") == b"new\n"


def test_ignored_outputs_are_work_too(repo: Repo, sideshoot: Command) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "ignore logs")
    copy = create(sideshoot, repo)
    (copy / "a.log").write_text("a\n")

    remove(sideshoot, copy)

    assert (copy / "a.log").exists()
    sideshoot("keep", "--ignored", "a.log").ok()
    assert repo.read("a.log") == b"a\n"


def test_where_nothing_was_changed_the_copy_goes(repo: Repo, sideshoot: Command) -> None:
    copy = create(sideshoot, repo)

    assert b"has left nothing" in remove(sideshoot, copy)

    assert not copy.exists()
    (job,) = sideshoot.json("status", "--all")["jobs"]
    assert job["decision"] == "discarded"


def test_two_of_one_name_are_two_jobs(repo: Repo, sideshoot: Command) -> None:
    one, other = create(sideshoot, repo), create(sideshoot, repo)

    assert one != other
    (one / "new.txt").write_text("one\n")
    remove(sideshoot, one)
    states = {job["state"] for job in sideshoot.json("status")["jobs"]}
    assert states == {"running", "finished"}


def test_the_job_ends_with_its_host(repo: Repo, sideshoot: Command) -> None:
    stdin = told(cwd=str(repo.top), name="beds").decode()
    script = f"printf %s '{stdin}' | {' '.join(PROGRAM)} hook worktree-create"
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, "sh", "-c", script],
        cwd=repo.top,
        env=environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with host:
        assert host.stdin is not None
        assert host.stdout is not None
        copy = Path(host.stdout.readline().decode().strip())
        assert host.stdout.readline() == b"made\n"
        (copy / "new.txt").write_text("new\n")
        assert sideshoot.json("status")["jobs"][0]["state"] == "running"
        host.stdin.close()
        assert host.wait(TIME_LIMIT_S) == 0

    await_true(
        lambda: sideshoot.json("status")["jobs"][0]["state"] == "finished", "the job has ended"
    )
    assert [it["path"] for it in sideshoot.json("diff")["files"]] == ["new.txt"]


def test_what_an_agent_made_of_the_git_file_in_there_is_not_believed(
    repo: Repo, sideshoot: Command
) -> None:
    copy = create(sideshoot, repo)
    (copy / "new.txt").write_text("new\n")
    (copy / ".git").unlink()
    subprocess.run(["git", "init", "-q", str(copy)], check=True, timeout=TIME_LIMIT_S)

    remove(sideshoot, copy)

    assert [it["path"] for it in sideshoot.json("diff")["files"]] == ["new.txt"]


def test_a_copy_that_is_gone_already_ends_its_job(repo: Repo, sideshoot: Command) -> None:
    copy = create(sideshoot, repo)
    shutil.rmtree(copy)

    remove(sideshoot, copy, cwd=str(repo.top))

    assert sideshoot.json("status", "--all")["jobs"][0]["state"] == "finished"


def test_a_copy_that_can_not_be_made_is_an_error(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    outside = tmp_path / "no-repository"
    outside.mkdir()
    done = sideshoot("hook", "worktree-create", stdin=told(cwd=str(outside), name="x"))
    assert done.refused(status=3).stdout == b""
    repo.write("sideshoot.toml", '[workspace]\nsetup = ["false"]\n')
    asked = sideshoot("hook", "worktree-create", stdin=told(cwd=str(repo.top), name="x"))
    assert asked.refused("--trust", status=3).stdout == b""
    sideshoot("config", "--trust").ok()
    failed = sideshoot("hook", "worktree-create", stdin=told(cwd=str(repo.top), name="x"))
    assert failed.refused("false").stdout == b""


def test_a_worker_that_dies_while_the_copy_is_made_is_an_error(
    repo: Repo, sideshoot: Command
) -> None:
    stdin = told(cwd=str(repo.top), name="beds")
    done = sideshoot("hook", "worktree-create", stdin=stdin, env={VARIABLE: "run.opened"})

    assert done.refused("has no copy: its worker died").stdout == b""
    assert sideshoot.json("status")["jobs"][0]["state"] == "finished"


@pytest.mark.parametrize("facts", [{}, {"worktree_path": "/tmp"}, {"worktree_path": 7}])
def test_what_is_no_copy_is_left_alone(
    repo: Repo, sideshoot: Command, facts: dict[str, Any]
) -> None:
    done = sideshoot("hook", "worktree-remove", stdin=told(cwd=str(repo.top), **facts))

    done.refused("no copy of Sideshoot's", status=2)
