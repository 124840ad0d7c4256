"""The real OpenCode, through the real command, against a model server of the test's own."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from support.models import ModelServer, play, say, shell, tool
from support.opencode import set_up_opencode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = [pytest.mark.agent("opencode"), pytest.mark.timeout(200)]


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def opencode(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OpenCode's home."""
    home = tmp_path / "opencode"
    set_up_opencode(monkeypatch, models, home)
    return home


def test_a_whole_round_and_another_one(
    repo: Repo, sideshoot: Command, models: ModelServer, opencode: Path
) -> None:
    repo.write("app.py", repo.read("app.py") + b"# mine\n")
    before = repo.fingerprint()
    task = "add a bed; don't --stop at $(this) " + play(
        shell("echo made > made.txt; printf '\\0\\377' > made.bin; tail -n1 app.py > seen"),
        tool("write", filePath=str(repo.top / "leak"), content="x"),
        shell("git add -A && git commit -qm 'a bed more'"),
        say("There are three beds now."),
    )
    job = sideshoot("run", "--json", "--agent", "opencode", task).ok().json
    assert repo.fingerprint() == before
    assert (job["agent"], job["outcome"], job["message"]) == (
        "opencode", "succeeded", "There are three beds now.",
    )  # fmt: skip
    assert job["usage"]
    assert repo.text("log", "-1", "--format=%s", job["branch"]) == "a bed more"
    assert {file["path"] for file in job["files"]} == {"made.bin", "made.txt", "seen"}
    assert places_of_projects(opencode) == [str(repo.top)]
    sideshoot("keep").ok()
    assert repo.read("made.bin") == b"\0\xff"
    assert repo.read("seen") == b"# mine\n"

    # Its workspace is gone: the session goes on in another one. On the way there OpenCode must not
    # look at the settings in the user's tree, since it puts files of its own beside them.
    repo.write(".opencode/command/weed.md", "Weed the beds.\n")
    kept = repo.fingerprint()
    more = "and a path " + play(shell("echo path > path.txt"), say("There it is."))
    later = sideshoot("run", "--json", "--agent", "opencode", "--resume", job["job_id"], more)
    assert later.ok().json["message"] == "There it is."
    assert later.json["thread_id"] == job["thread_id"]
    assert "three beds" in models.asked[-1].text
    assert repo.fingerprint() == kept
    assert [it.name for it in (repo.top / ".opencode").iterdir()] == ["command"]
    assert [file["path"] for file in later.json["files"]] == ["path.txt"]
    sideshoot("keep").ok()
    assert repo.read("path.txt") == b"path\n"


def places_of_projects(home: Path) -> list[str]:
    """Where OpenCode thinks that the user's projects are."""
    (file,) = (home / "data").rglob("*.db")
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT worktree FROM project").fetchall()
    database.close()
    return [place for (place,) in rows if place != "/"]
