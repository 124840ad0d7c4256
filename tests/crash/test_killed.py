"""Sideshoot killed at each of its own steps: the next command recovers, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sideshoot.workspace import pool, steps
from support.pooling import settle
from support.repos import Repo, as_git_sees
from support.twins import expected, settled, twin_of
from support.workspaces import wait_until

if TYPE_CHECKING:
    from support.command import Command, Result
    from support.repos import Tree

AFTER_THE_AGENT = ("run.agent-done", "run.captured", "clone.taken", "clone.settled")
RUN = tuple(name for name in steps.NAMES if name.startswith(("run.", "open.")))
KEEP = tuple(name for name in steps.NAMES if name.startswith("keep."))
DISCARD = tuple(name for name in steps.NAMES if name.startswith("discard."))
TO_THE_POOL = ("pool.offered", "pool.released")
FROM_THE_POOL = ("pool.taken", "pool.brought")
BY_THE_CLEANER = ("pool.cleaned",)
CLONE = tuple(name for name in steps.NAMES if name.startswith("clone."))
REMOVAL = ("discard.renamed", "discard.unregistered")
"""A keep removes the workspace by the same steps as a discard."""

WORK = (
    "sed -i 's/^line_20 .*/line_20 = agent/' app.py; echo new > new.txt; rm docs/guide.txt;"
    "mkdir -p deep/er; echo x > deep/er/x; chmod +x src/beds.py; ln -s app.py link"
)


@pytest.fixture
def garden(repo: Repo) -> Repo:
    """A repository with work of the user's of each kind."""
    repo.write("app.py", repo.read("app.py").replace(b"line_2 = 2", b"line_2 = 'unstaged'"))
    repo.write("README.md", "# Staged\n")
    repo.git("add", "README.md")
    repo.write("notes.txt", "untracked\n")
    return repo


def crash(sideshoot: Command, step: str, *argv: str) -> Result:
    """Run a command that dies at a step."""
    done = sideshoot(*argv, env={steps.VARIABLE: step})
    assert done.status == -signal.SIGKILL, f"{argv} never came to {step}: {done}"
    return done


def the_job(sideshoot: Command) -> dict[str, Any]:
    """What is known of the only job there is."""
    return sideshoot.json("result")


def assert_tidy(repo: Repo, *, workspaces: int) -> None:
    """No lock, journal or scratch file is left, and no workspace that no job has."""
    state = repo.common_dir / "sideshoot"
    assert not (repo.git_dir / "index.lock").exists()
    for name in ("keep", "tmp"):
        assert not (state / name).is_dir() or list((state / name).iterdir()) == []
    listed = repo.text("worktree", "list", "--porcelain").splitlines()
    assert sum(line.startswith("worktree ") for line in listed) == 1 + workspaces
    assert len(repo.text("branch", "--list", "sideshoot/*").splitlines()) == workspaces
    folder = repo.top / ".worktrees"
    shown = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
    assert len(shown) == workspaces


class TestRun:
    @pytest.mark.parametrize("step", RUN)
    def test_killed_in_the_foreground(self, step: str, garden: Repo, sideshoot: Command) -> None:
        before = garden.fingerprint()
        crash(sideshoot, step, "run", "--", "sh", "-c", WORK)
        assert garden.fingerprint() == before
        self.recovers(step, before, garden, sideshoot)

    @pytest.mark.usefixtures("cloning")
    @pytest.mark.parametrize("step", [*RUN, *(step for step in CLONE if step != "clone.copied")])
    def test_killed_with_a_clone(self, step: str, garden: Repo, sideshoot: Command) -> None:
        before = garden.fingerprint()
        crash(sideshoot, step, "run", "--", "sh", "-c", WORK)
        self.recovers(step, before, garden, sideshoot)

    @pytest.mark.parametrize("step", ["run.base", "open.filled", "run.captured"])
    def test_killed_in_the_background(self, step: str, garden: Repo, sideshoot: Command) -> None:
        before = garden.fingerprint()
        argv = ("run", "-b", "--json", "--", "sh", "-c", WORK)
        job = sideshoot(*argv, env={steps.VARIABLE: step}).ok().json
        sideshoot("wait", job["job_id"])
        self.recovers(step, before, garden, sideshoot)

    def recovers(self, step: str, before: dict[str, Any], repo: Repo, sideshoot: Command) -> None:
        sideshoot("status").ok()
        job = the_job(sideshoot)
        assert job["state"] == "finished"
        assert job["outcome"] in ("interrupted", "succeeded")
        assert repo.fingerprint() == before
        if step in AFTER_THE_AGENT:
            assert {"app.py", "new.txt", "link"} <= {file["path"] for file in job["files"]}
            sideshoot("keep", job["job_id"]).ok()
            assert repo.read("new.txt") == b"new\n"
            assert b"line_20 = agent" in repo.read("app.py")
            sideshoot("undo", job["job_id"]).ok()
            assert settled(repo.fingerprint()) == settled(before)
        else:
            assert job["files"] == []
            sideshoot("discard", job["job_id"]).ok()
        assert_tidy(repo, workspaces=0)
        again = sideshoot.run("echo again > again.txt")
        sideshoot("keep", again["job_id"]).ok()
        assert repo.read("again.txt") == b"again\n"

    @pytest.mark.parametrize("who", ["sideshoot", "the agent", "both"])
    def test_killed_while_the_agent_works(self, who: str, garden: Repo, sideshoot: Command) -> None:
        before = garden.fingerprint()
        started = garden.top.parent / "started"
        script = f"{WORK}; echo $$ > {started}.part; mv {started}.part {started}; sleep 300; true"
        process = sideshoot.start("run", "--sandbox", "off", "--", "sh", "-c", script)
        wait_until(started.exists)
        agent = psutil.Process(int(started.read_text()))
        family = [agent, *agent.children(recursive=True)]
        if who != "sideshoot":
            agent.kill()
        if who != "the agent":
            process.kill()
        sideshoot.finish(process)
        sideshoot("status").ok()
        job = the_job(sideshoot)
        assert job["state"] == "finished"
        assert job["outcome"] == ("failed" if who == "the agent" else "interrupted")
        assert [found for found in family if found.is_running() and not _dead(found)] == []
        assert garden.fingerprint() == before
        assert {"app.py", "new.txt", "link"} <= {file["path"] for file in job["files"]}
        sideshoot("keep", job["job_id"]).ok()
        assert garden.read("new.txt") == b"new\n"
        assert_tidy(garden, workspaces=0)


class TestKeepAndUndo:
    @pytest.fixture
    def kept(self, garden: Repo, tmp_path: Path) -> Tree:
        """The tree as it must be once the work is kept."""
        twin = twin_of(garden, tmp_path / "twin")
        subprocess.run(["sh", "-ec", WORK], cwd=twin.top, check=True, timeout=60)
        tree, _ = expected(twin)
        return as_git_sees(tree)

    @pytest.mark.parametrize("again", [True, False], ids=["the same again", "status"])
    @pytest.mark.parametrize("step", [*KEEP, *REMOVAL])
    def test_a_keep(
        self, step: str, garden: Repo, sideshoot: Command, kept: Tree, *, again: bool
    ) -> None:
        job = sideshoot.run(WORK)
        before = garden.fingerprint()
        crash(sideshoot, step, "keep", job["job_id"])
        if not again:
            sideshoot("status").ok()
            decision = the_job(sideshoot)["decision"]
            assert decision in ("open", "kept")
            if decision == "open":
                assert settled(garden.fingerprint()) == settled(before)
            else:
                assert as_git_sees(garden.tree()) == kept
        sideshoot("keep", job["job_id"])
        assert the_job(sideshoot)["decision"] == "kept"
        assert as_git_sees(garden.tree()) == kept
        assert b"line_2 = 2\n" in garden.staged()[b"app.py"][1]
        assert b"line_20 = agent" in garden.staged()[b"app.py"][1]
        assert_tidy(garden, workspaces=0)
        sideshoot("undo", job["job_id"]).ok()
        assert settled(garden.fingerprint()) == settled(before)

    @pytest.mark.usefixtures("cloning")
    @pytest.mark.parametrize("step", ["clone.copied", "keep.swapping", "keep.decided", *REMOVAL])
    def test_a_keep_from_a_clone(
        self, step: str, garden: Repo, sideshoot: Command, kept: Tree
    ) -> None:
        self.test_a_keep(step, garden, sideshoot, kept, again=False)

    @pytest.mark.parametrize("again", [True, False], ids=["the same again", "status"])
    @pytest.mark.parametrize("step", [name for name in KEEP if name != "keep.decided"])
    def test_an_undo(
        self, step: str, garden: Repo, sideshoot: Command, kept: Tree, *, again: bool
    ) -> None:
        job = sideshoot.run(WORK)
        before = garden.fingerprint()
        sideshoot("keep", job["job_id"]).ok()
        after = garden.fingerprint()
        crash(sideshoot, step, "undo", job["job_id"])
        if not again:
            sideshoot("status").ok()
            if the_job(sideshoot)["decision"] == "kept":
                assert settled(garden.fingerprint()) == settled(after)
            else:
                assert settled(garden.fingerprint()) == settled(before)
        sideshoot("undo", job["job_id"])
        assert the_job(sideshoot)["decision"] == "open"
        assert settled(garden.fingerprint()) == settled(before)
        sideshoot("keep", job["job_id"]).ok()
        assert as_git_sees(garden.tree()) == kept

    def test_a_user_who_went_on_after_the_crash_loses_nothing(
        self, garden: Repo, sideshoot: Command
    ) -> None:
        job = sideshoot.run(WORK)
        crash(sideshoot, "keep.swapping", "keep", job["job_id"])
        garden.write("app.py", "mine, typed after the crash\n")
        garden.write("new.txt", "mine as well\n")
        sideshoot("status")
        mine = {garden.read("app.py"), garden.read("new.txt")}
        assert mine == {b"mine, typed after the crash\n", b"mine as well\n"}


class TestDiscardAndRestore:
    @pytest.mark.parametrize("again", [True, False], ids=["the same again", "status"])
    @pytest.mark.parametrize("step", DISCARD)
    def test_a_discard(self, step: str, garden: Repo, sideshoot: Command, *, again: bool) -> None:
        before = garden.fingerprint()
        job = sideshoot.run(WORK)
        crash(sideshoot, step, "discard", job["job_id"])
        if not again:
            sideshoot("status").ok()
            assert the_job(sideshoot)["decision"] in ("open", "discarded")
        sideshoot("discard", job["job_id"])
        assert the_job(sideshoot)["decision"] == "discarded"
        assert garden.fingerprint() == before
        assert_tidy(garden, workspaces=0)
        sideshoot("restore", job["job_id"]).ok()
        sideshoot("keep", job["job_id"]).ok()
        assert garden.read("new.txt") == b"new\n"

    @pytest.mark.usefixtures("cloning")
    @pytest.mark.parametrize("step", DISCARD)
    def test_a_discard_of_a_clone(self, step: str, garden: Repo, sideshoot: Command) -> None:
        self.test_a_discard(step, garden, sideshoot, again=False)


class TestThePool:
    """Where finished workspaces are used again: there, too, nothing is lost, and none is in a wrong state."""

    @pytest.fixture
    def pooling(self, garden: Repo, sideshoot: Command) -> Repo:
        sideshoot("config", "workspace.pool", "2").ok()
        return garden

    @pytest.mark.parametrize("how", ["discard", "keep"])
    @pytest.mark.parametrize("step", [*TO_THE_POOL, *BY_THE_CLEANER, *REMOVAL])
    def test_killed_on_the_way_to_it(
        self, step: str, how: str, pooling: Repo, sideshoot: Command
    ) -> None:
        before = pooling.fingerprint()
        job = sideshoot.run(WORK)
        if step in BY_THE_CLEANER:
            sideshoot(how, job["job_id"], env={steps.VARIABLE: step}).ok()
            wait_until(lambda: not cleaners(pooling))  # it was killed
        else:
            crash(sideshoot, step, how, job["job_id"])
        sideshoot("status").ok()
        sideshoot(how, job["job_id"])
        if how == "discard":
            assert pooling.fingerprint() == before
            sideshoot("restore", job["job_id"]).ok()
            sideshoot("keep", job["job_id"]).ok()
        assert pooling.read("new.txt") == b"new\n"
        self.goes_on(pooling, sideshoot)

    @pytest.mark.parametrize("step", FROM_THE_POOL)
    def test_killed_on_the_way_from_it(self, step: str, pooling: Repo, sideshoot: Command) -> None:
        sideshoot("discard", sideshoot.run(WORK)["job_id"]).ok()
        settle(pooling)
        before = pooling.fingerprint()
        crash(sideshoot, step, "run", "--", "sh", "-c", WORK)
        sideshoot("status").ok()
        assert pooling.fingerprint() == before
        job = next(
            job
            for job in sideshoot.json("status", "--all")["jobs"]
            if job["decision"] != "discarded"
        )
        assert (job["state"], job["outcome"]) == ("finished", "interrupted")
        sideshoot("discard", job["job_id"]).ok()
        self.goes_on(pooling, sideshoot)

    def goes_on(self, repo: Repo, sideshoot: Command) -> None:
        """The next jobs begin with the user's tree, and in the end nothing is left."""
        for _ in range(2):
            job = sideshoot.run("git status --porcelain; ls -A")
            assert job["files"] == []
            assert as_git_sees(Repo(Path(job["worktree"])).tree()) == as_git_sees(repo.tree())
            sideshoot("discard", job["job_id"]).ok()
            wait_until(lambda: all(e.seal.exists() for e in pool.entries(repo.common_dir)))
        sideshoot("config", "workspace.pool", "off").ok()
        sideshoot("gc").ok()
        wait_until(lambda: not (repo.top / ".worktrees").exists())
        assert_tidy(repo, workspaces=0)


def test_every_step_is_tried() -> None:
    of_the_pool = {*TO_THE_POOL, *FROM_THE_POOL, *BY_THE_CLEANER}
    assert {*RUN, *KEEP, *DISCARD, *CLONE} | of_the_pool == set(steps.NAMES)


def cleaners(repo: Repo) -> list[psutil.Process]:
    """The processes that clean folders of the pool of this repository."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if {"sideshoot.workspace.cleaning", str(repo.top)} <= {*(process.info["cmdline"] or [])}
    ]


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
