"""`run --sandbox`: what works without a fence works inside one, and nothing outside is written."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.fence.mechanism import Kind, find_mechanism
from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.store import Store
from support.claude import set_up_claude
from support.codex import set_up_codex
from support.gemini import set_up_gemini
from support.models import ModelServer, patch, play, say, shell
from support.opencode import set_up_opencode
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from support.command import Command, Result
    from support.repos import Repo

KIND = find_mechanism().kind


@pytest.fixture(autouse=True)
def _possible() -> None:
    if KIND is Kind.NONE:
        pytest.skip(f"no fence can be put up here: {find_mechanism().why}")


bubblewrap = pytest.mark.skipif(
    KIND is not Kind.BUBBLEWRAP, reason=f"bubblewrap can't be used here: {find_mechanism().why}"
)

WRITE = ("--sandbox", "write")


def details(sideshoot: Command, job_id: str) -> str:
    return sideshoot("status", job_id).ok().out


def record(repo: Repo, job_id: str) -> Any:
    return Store.open(discover(repo.top).state_dir).get(job_id)


def folder(repo: Repo, job_id: str) -> JobFolder:
    return JobFolder(discover(repo.top).state_dir, job_id)


def hang(sideshoot: Command, script: str = "true") -> tuple[str, str]:
    """A fenced background job in the middle of its turn, and the words of a process of it."""
    sleep = long_sleep()
    shell_words = ("sh", "-c", f"{script}\n{sleep}")
    job = sideshoot("run", "--json", "-b", *WRITE, "--", *shell_words).ok().json["job_id"]
    await_true(lambda: running(sleep), "the command's turn")
    return job, sleep


# -- what works without a fence


def test_a_whole_round(repo: Repo, sideshoot: Command) -> None:
    repo.write("app.py", repo.read("app.py") + b"# mine\n")
    before = repo.fingerprint()
    job = sideshoot.run(
        "tail -n1 app.py; echo new > new.txt; ln -s new.txt link; mkdir -p a/b; mv docs/guide.txt a/b/;"
        "printf '\\0\\377' > made.bin; chmod +x README.md; rm src/tools/rake.py;"
        "mkdir build; echo out > build/out",
        *WRITE,
    )
    assert repo.fingerprint() == before
    assert job["message"] == "# mine\n"
    assert job["ignored"] == {"count": 1, "paths": ["build/"]}
    if KIND is Kind.BUBBLEWRAP:
        assert job["warnings"] == []
    sideshoot("keep", "--ignored", "build").ok()
    assert repo.read("made.bin") == b"\0\xff"
    assert repo.read("build/out") == b"out\n"
    assert repo.read("a/b/guide.txt") == b"one\ntwo\nthree\n"
    assert (repo.top / "link").is_symlink()
    sideshoot("undo").ok()
    assert repo.fingerprint()["files"] == before["files"]
    assert repo.status() == before["status"]


def test_commits_on_its_branch(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    job = sideshoot.run(
        "echo one > one && git add one && git commit -qm one && echo two >> one &&"
        " git commit -qam two && git status --short && git log --oneline main.. | wc -l",
        *WRITE,
    )
    assert job["message"].strip() == "2"
    assert repo.text("log", "--format=%s", f"main..{job['branch']}") == "two\none"
    assert repo.fingerprint() == before


def test_a_commit_is_possible_where_objects_were_never_packed(
    repo: Repo, sideshoot: Command
) -> None:
    for name in ("pack", "info"):
        (repo.common_dir / "objects" / name).rmdir()
    job = sideshoot.run("echo one > one && git add one && git commit -qm one", *WRITE)
    assert repo.text("log", "-1", "--format=%s", job["branch"]) == "one"
    assert (repo.common_dir / "objects" / "pack").is_dir()


def test_temporary_files_are_its_own_and_go_with_it(repo: Repo, sideshoot: Command) -> None:
    job = sideshoot.run(
        'echo $(mktemp) > made; echo more > "$TMPDIR/more"; cat "$TMPDIR/more";'
        ' mkdir -p "$TMPDIR/shut/deep"; chmod 0 "$TMPDIR/shut"',
        *WRITE,
    )
    assert job["message"] == "more\n"
    assert not folder(repo, job["job_id"]).temp.exists()
    assert not Path(repo.text("show", f"{job['result']}:made").strip()).exists()


def test_programs_find_what_they_need(repo: Repo, sideshoot: Command) -> None:
    script = (
        "import json, multiprocessing, os, sideshoot, subprocess, tempfile\n"
        "with tempfile.TemporaryFile() as file: file.write(b'x')\n"
        "print(os.environ['SIDESHOOT_JOB'], os.getcwd(), sideshoot.__version__)\n"
        "multiprocessing.Semaphore()\n"
        "subprocess.run(['git', 'status'], check=True, stdout=subprocess.DEVNULL)\n"
    )
    argv = ("run", "--json", *WRITE, "--", sys.executable, "-c", script)
    job = sideshoot(*argv, cwd=repo.top / "src").ok().json
    assert job["message"].split()[:2] == [job["job_id"], f"{job['worktree']}/src"]


def test_standard_input_and_the_exit_status_are_the_commands(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    given = ("run", "--json", *WRITE, "--prompt-file", "-", "--")
    job = sideshoot(*given, "cat", stdin=b"to be read\n").ok().json
    assert job["message"] == "to be read\n"
    job = sideshoot("run", "--json", *WRITE, "--", "sh", "-c", "exit 7").refused().json
    assert job["exit_code"] == 7
    job = sideshoot("run", "--json", *WRITE, "--", "sh", "-c", "kill -9 $$").refused().json
    assert job["exit_code"] == 128 + signal.SIGKILL
    assert "SIGKILL" in record(repo, job["job_id"]).error
    sideshoot("run", *WRITE, "--", "no-such-program").refused("no-such-program", status=3)


def test_a_background_job_shows_its_level(repo: Repo, sideshoot: Command) -> None:
    words = ("--", "sh", "-c", "echo made > made.txt")
    job = sideshoot("run", "--json", "-b", *WRITE, *words).ok().json["job_id"]
    sideshoot("wait", job).ok()
    assert f"write ({KIND})" in details(sideshoot, job)
    sideshoot("keep", job).ok()
    assert repo.read("made.txt") == b"made\n"
    assert "sandbox" not in details(sideshoot, sideshoot.run("true", "--sandbox", "off")["job_id"])


# -- no process is left, and the work is saved


def test_cancel_ends_all_of_it(repo: Repo, sideshoot: Command) -> None:
    job, sleep = hang(sideshoot, f"echo half > half.txt; setsid {(other := long_sleep())} &")
    assert sideshoot.json("cancel", job)["outcome"] == "cancelled"
    assert running(sleep) == running(other) == []
    assert repo.text("show", f"{record(repo, job).result}:half.txt").strip() == "half"


def test_a_command_hears_that_it_is_to_end(repo: Repo, sideshoot: Command) -> None:
    job, _ = hang(sideshoot, "trap 'echo bye > bye.txt; exit' INT")
    sideshoot("cancel", job).ok()
    assert repo.text("show", f"{record(repo, job).result}:bye.txt").strip() == "bye"


def test_a_timeout_ends_all_of_it(repo: Repo, sideshoot: Command) -> None:
    sleep = long_sleep()
    done = sideshoot("run", *WRITE, "--timeout", "1s", "--", "sh", "-c", f"trap '' TERM; {sleep}")
    assert done.status == 124, done
    assert running(sleep) == []


def test_a_killed_worker_takes_all_of_it_along(repo: Repo, sideshoot: Command) -> None:
    other = long_sleep()
    leaving = f"echo half > half.txt; echo x > $TMPDIR/x; env -i setsid {other} &"
    job, sleep = hang(sideshoot, leaving)
    os.kill(record(repo, job).worker_pid, signal.SIGKILL)
    if KIND is Kind.BUBBLEWRAP:  # Without anybody's help.
        await_true(lambda: not running(sleep) and not running(other), "the end of the command")
    assert "interrupted" in details(sideshoot, job)
    assert running(sleep) == []
    assert repo.text("show", f"{record(repo, job).result}:half.txt").strip() == "half"
    assert not folder(repo, job).temp.exists()


# -- what is outside stays as it is


def test_nothing_outside_is_written(repo: Repo, sideshoot: Command, home: Path) -> None:
    other = sideshoot.run("echo other > other.txt", *WRITE)
    outside = [
        repo.top / "app.py",
        repo.top / "planted",
        home / ".gitconfig",
        home / "planted",
        repo.common_dir / "hooks" / "pre-commit",
        repo.common_dir / "config",
        repo.common_dir / "HEAD",
        repo.common_dir / "refs" / "heads" / "main",
        repo.common_dir / "sideshoot" / "sideshoot.db",
        repo.common_dir / "sideshoot" / "cache" / "fence.json",
        folder(repo, other["job_id"]).record,
        Path(other["worktree"]) / "other.txt",
        Path(f"/var/tmp/sideshoot-planted-{os.getpid()}"),
    ]
    before = repo.fingerprint(), [content(place) for place in outside[2:]]
    tries = [f"echo bad >> {shlex.quote(str(place))}" for place in outside]
    tries += [f"rm -rf {place}" for place in (repo.top / "docs", other["worktree"], home)]
    tries += [
        "git -C ../.. commit -qm bad --allow-empty",
        "git commit -qm mine --allow-empty && git update-ref refs/heads/main HEAD",
        "git config user.name bad",
        "git tag bad",
        "git stash push",
    ]
    script = (
        "".join(f"({one}) && echo GOT OUT: {shlex.quote(one)}\n" for one in tries) + "echo done"
    )
    job = sideshoot.run(f"exec 2> /dev/null; echo mine > app.py\n{script}", *WRITE)
    after = repo.fingerprint(), [content(place) for place in outside[2:]]
    # The store goes on by itself.
    store = outside.index(repo.common_dir / "sideshoot" / "sideshoot.db") - 2
    before[1][store] = after[1][store] = None
    assert after == before
    assert "GOT OUT" not in job["message"]
    assert job["message"].endswith("done\n")
    sideshoot("keep", other["job_id"]).ok()
    assert repo.read("other.txt") == b"other\n"


def content(place: Path) -> bytes | None:
    return place.read_bytes() if place.exists() else None


@bubblewrap
def test_links_of_the_workspace_stay(repo: Repo, sideshoot: Command) -> None:
    job = sideshoot.run(
        "exec 2> /dev/null; dir=$(git rev-parse --git-dir); for name in commondir gitdir config.worktree sideshoot-index;"
        " do (echo bad > $dir/$name) && echo OUT; rm -f $dir/$name && echo OUT;"
        " done; (echo bad > .git) && echo OUT; echo new > new; echo end",
        *WRITE,
    )
    assert job["message"] == "end\n"
    assert [file["path"] for file in job["files"]] == ["new"]


@bubblewrap
def test_offline_there_is_no_network(repo: Repo, sideshoot: Command) -> None:
    with ModelServer() as server:
        port = server.url.rpartition(":")[2]
        script = f"import socket; exit(socket.socket().connect_ex(('127.0.0.1', {port})) and 5)"
        words = ("--", sys.executable, "-c", script)
        sideshoot("run", "--sandbox", "write", *words).ok()
        done = sideshoot("run", "--json", "--sandbox", "offline", *words).refused()
        assert done.json["exit_code"] == 5
    assert f"offline ({KIND})" in details(sideshoot, done.json["job_id"])


def test_read_only_is_no_mere_wish_inside(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    script = 'exec 2> /dev/null; cat docs/guide.txt; echo x > "$TMPDIR/x"; (echo bad > bad) || (echo bad > app.py) || echo no'
    job = sideshoot.run(script, *WRITE, "--read-only")
    assert job["message"] == "one\ntwo\nthree\nno\n"
    assert repo.fingerprint() == before


@bubblewrap
def test_in_place_only_the_tree_is_written(repo: Repo, sideshoot: Command) -> None:
    other = sideshoot.run("echo other > other.txt")
    script = (
        f"exec 2> /dev/null; echo new > new.txt; (echo bad > .git/config) || (echo bad > {other['worktree']}/x) ||"
        " (git commit -qm bad --allow-empty) || echo no"
    )
    job = sideshoot.run(script, *WRITE, "--in-place")
    assert job["message"] == "no\n"
    assert [file["path"] for file in job["files"]] == ["new.txt"]
    assert repo.read("new.txt") == b"new\n"


# -- where it can't be


def test_a_level_that_does_not_exist_is_refused(sideshoot: Command) -> None:
    sideshoot("run", "--sandbox", "tight", "--", "true").refused("off", "write", status=2)


# -- Codex


def codex(sideshoot: Command, *options: str, steps: str) -> Result:
    return sideshoot("run", "--json", *options, "--agent", "codex", steps)


@bubblewrap
@pytest.mark.agent("codex")
def test_codex_works_in_its_own_sandbox_inside_and_goes_on(
    repo: Repo, sideshoot: Command, roomy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer() as models:
        set_up_codex(monkeypatch, roomy / "codex", models)
        before = repo.fingerprint()
        edit = patch(
            "*** Begin Patch\n*** Update File: src/beds.py\n@@\n"
            "-BEDS = ['north', 'south']\n+BEDS = ['west']\n*** End Patch"
        )
        commit = shell("echo made > made.txt && git add -A && git commit -qm 'a bed more'")
        out = shell(
            f"echo bad > {repo.top}/app.py; echo bad > {repo.common_dir}/hooks/x; mktemp > t"
        )
        first = codex(sideshoot, *WRITE, steps=play(edit, commit, out, say("Done."))).ok().json
        resumed = (*WRITE, f"--resume={first['job_id']}")
        last = (
            codex(sideshoot, *resumed, steps=play(shell("echo on > on.txt"), say("On."))).ok().json
        )
    assert repo.fingerprint() == before
    assert (first["message"], last["message"]) == ("Done.", "On.")
    assert last["thread_id"] == first["thread_id"]
    assert repo.text("log", "-1", "--format=%s", last["branch"]) == "a bed more"
    changed = {file["path"] for file in last["files"]}
    assert changed == {"made.txt", "on.txt", "src/beds.py", "t"}


@pytest.mark.agent("codex")
def test_codex_is_refused_where_it_can_not_work(
    repo: Repo, sideshoot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer() as models:
        set_up_codex(monkeypatch, tmp_path / "codex", models)
        offline = ("--sandbox", "offline")
        codex(sideshoot, *offline, steps="x").refused("reaches its model", status=3)
        # Its home lies among temporary files.
        codex(sideshoot, *WRITE, steps="x").refused("sandbox of its own", status=3)
    assert sideshoot.json("status")["jobs"] == []


# -- agents without a sandbox of their own


def claude(monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer) -> None:
    set_up_claude(monkeypatch, home / ".claude", models)


def gemini(monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer) -> None:
    set_up_gemini(monkeypatch, home, models)


def opencode(monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer) -> None:
    set_up_opencode(monkeypatch, models, home)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "set_up",
    [pytest.param(it, marks=pytest.mark.agent(it.__name__)) for it in (claude, gemini, opencode)],
)
def test_an_agent_works_inside_and_goes_on(
    repo: Repo, sideshoot: Command, home: Path, monkeypatch: pytest.MonkeyPatch, set_up: Any
) -> None:
    repo.git("config", "user.name", "Gardener")
    repo.git("config", "user.email", "gardener@example.org")
    before = repo.fingerprint()
    script = (
        f"echo bad > {repo.top}/app.py; echo bad > {repo.common_dir}/hooks/x; echo bad > {home}/x;"
        "echo made > made.txt; git add -A; git commit -qm 'a bed more'"
    )
    agent = ("--json", *WRITE, "--agent", set_up.__name__)
    with ModelServer() as models:
        set_up(monkeypatch, home, models)
        steps = play(shell(script), say("Done."))
        first = sideshoot("run", *agent, steps).ok().json
        steps = play(shell("echo on > on.txt"), say("On."))
        last = sideshoot("run", *agent, f"--resume={first['job_id']}", steps).ok().json
        offline = ("--sandbox", "offline", "--agent", set_up.__name__)
        sideshoot("run", *offline, "x").refused("reaches its model", status=3)
    assert repo.fingerprint() == before
    assert not (home / "x").exists()
    assert (first["message"], last["message"]) == ("Done.", "On.")
    assert repo.text("log", "-1", "--format=%s", last["branch"]) == "a bed more"
    assert {file["path"] for file in last["files"]} == {"made.txt", "on.txt"}
