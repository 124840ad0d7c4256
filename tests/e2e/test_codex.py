"""The real Codex, through the real command, against a model server of the test's own."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

import psutil
import pytest

from support.codex import set_up_codex
from support.models import ModelServer, fail, hang, patch, play, say, shell
from support.twins import settled
from support.workspaces import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.agent("codex")

EDIT = patch(
    "*** Begin Patch\n*** Update File: src/beds.py\n@@\n"
    "-BEDS = ['north', 'south']\n+BEDS = ['north', 'south', 'west']\n*** End Patch"
)


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_codex(monkeypatch, tmp_path / "codex", models)


def test_a_whole_round(repo: Repo, sideshoot: Command) -> None:
    repo.write("app.py", repo.read("app.py") + b"# mine\n")
    before = repo.fingerprint()
    task = "add a bed; don't --stop at $(this) " + play(
        shell("echo made > made.txt; printf '\\0\\377' > made.bin; tail -n1 app.py > seen"),
        EDIT,
        shell("git add -A && git commit -qm 'a bed more'"),
        say("There are three beds now."),
    )
    job = sideshoot("run", "--json", "--agent", "codex", task).ok().json
    assert repo.fingerprint() == before
    assert (job["agent"], job["outcome"], job["message"]) == (
        "codex", "succeeded", "There are three beds now.",
    )  # fmt: skip
    assert job["thread_id"]
    assert job["usage"]
    assert repo.text("log", "-1", "--format=%s", job["branch"]) == "a bed more"
    sideshoot("keep").ok()
    assert repo.read("made.bin") == b"\0\xff"
    assert repo.read("seen") == b"# mine\n"
    assert repo.staged()[b"src/beds.py"][1] == b"BEDS = ['north', 'south', 'west']\n"
    assert repo.read("app.py").endswith(b"# mine\n")
    sideshoot("undo").ok()
    assert settled(repo.fingerprint()) == settled(before)


def test_its_fence_leaves_the_users_repository_out(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    top = shlex.quote(str(repo.top))
    attempts = (
        f"echo x > {top}/leak",
        f"echo x >> {top}/app.py",
        f"echo x >> {top}/.git/config",
        f"echo x > {top}/.git/hooks/post-commit",
        "git update-ref refs/heads/main HEAD~0 && git branch -f stolen HEAD",
        "git config user.name Evil",
    )
    task = play(*(shell(f"{attempt}; true") for attempt in attempts), say("Tried."))
    job = sideshoot("run", "--json", "--agent", "codex", task).ok().json
    assert job["message"] == "Tried."
    assert repo.fingerprint() == before
    assert job["files"] == []


def test_work_of_a_turn_that_failed_is_captured(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    task = "edit " + play(shell("echo half > half.txt"), fail(400, "that was too much"))
    done = sideshoot("run", "--json", "--agent", "codex", task)
    assert done.status == 1, done
    assert done.json["outcome"] == "failed"
    assert repo.fingerprint() == before
    sideshoot("keep").ok()
    assert repo.read("half.txt") == b"half\n"


def test_work_of_a_server_that_died_is_captured(
    repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    before = repo.fingerprint()
    task = "edit " + play(shell("echo half > half.txt"), hang())
    process = sideshoot.start("run", "--json", "--agent", "codex", task)
    models.await_asked(2)
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "app-server" in child.cmdline():
                child.kill()
    done = sideshoot.finish(process)
    assert done.status == 1, done
    assert done.json["outcome"] == "failed"
    assert repo.fingerprint() == before
    sideshoot("keep").ok()
    assert repo.read("half.txt") == b"half\n"


def test_a_cancel_stops_the_turn_and_all_that_it_started(
    repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    script = "echo half > half.txt; sleep 271; echo late > late.txt"
    task = "edit " + play(shell(script), say("Done."))
    job = sideshoot("run", "--json", "-b", "--agent", "codex", task).ok().json
    models.await_asked(1)
    wait_until(lambda: any(repo.top.glob(".worktrees/*/half.txt")))
    sideshoot("cancel", job["job_id"]).ok()
    found = sideshoot.json("result", job["job_id"])
    assert found["outcome"] == "cancelled"
    assert [file["path"] for file in found["files"]] == ["half.txt"]
    sleeping = [
        p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "271"]
    ]
    assert sleeping == []
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("half.txt") == b"half\n"
    assert not repo.exists("late.txt")
