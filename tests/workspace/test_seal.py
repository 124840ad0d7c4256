"""Whether a workspace is as it was captured."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.seal import break_seal, checking, look
from support.workspaces import inside, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.workspace.opening import Workspace
    from support.repos import Repo


def captured(repo: Repo) -> tuple[Workspace, str]:
    """A workspace in which an agent has worked, some time before it was captured."""
    repo.write(".gitignore", "*.log\n")
    repo.commit()
    workspace = opened(repo)
    agent = inside(workspace)
    agent.write("made/new", "new\n")
    agent.write("app.py", "changed\n")
    agent.write("b.log", "a log\n")
    (agent.top / "empty").mkdir()
    time.sleep(0.1)
    return workspace, capture(discover(repo.top), workspace).commit


def holds(workspace: Workspace, commit: str) -> bool:
    with checking(workspace, commit) as check:
        return check is not None and check.holds()


def overwrite(agent: Repo, path: str) -> None:
    """Other bytes, as many, at the same time as before."""
    place = agent.top / path
    before = place.stat()
    with place.open("r+b") as file:
        file.write(b"N")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Repo], object]] = {
    "a file of the base": lambda agent: overwrite(agent, "app.py"),
    "a new file": lambda agent: overwrite(agent, "made/new"),
    "one more file": lambda agent: agent.write("made/more", ""),
    "one file less": lambda agent: (agent.top / "made" / "new").unlink(),
    "another name": lambda agent: (agent.top / "app.py").rename(agent.top / "App.py"),
    "a mode": lambda agent: (agent.top / "made" / "new").chmod(0o755),
    "an empty folder": lambda agent: (agent.top / "made" / "folder").mkdir(),
    "a file in an empty folder": lambda agent: agent.write("empty/file", ""),
    "a commit": lambda agent: agent.git("commit", "-q", "--allow-empty", "-m", "by hand"),
    "an ignored file that is added": lambda agent: agent.git("add", "-f", "b.log"),
    "the rules": lambda agent: (agent.common_dir / "info" / "exclude").write_text("made\n"),
}


def test_a_seal_holds_as_long_as_nothing_is_changed(repo: Repo) -> None:
    workspace, commit = captured(repo)
    assert holds(workspace, commit)
    assert holds(workspace, commit)


def test_there_is_none_if_something_changes_while_it_is_made(repo: Repo) -> None:
    workspace, _ = captured(repo)
    began = break_seal(workspace)
    assert look(workspace, {}, since_ns=began) is not None
    inside(workspace).write("made/late", "git may have looked before, or after\n")
    assert look(workspace, {}, since_ns=began) is None


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_each_change_breaks_it(repo: Repo, change: Callable[[Repo], object]) -> None:
    workspace, commit = captured(repo)
    change(inside(workspace))
    assert not holds(workspace, commit)


def test_a_change_breaks_it_where_git_hardly_looks(repo: Repo) -> None:
    repo.git("config", "core.checkStat", "minimal")
    repo.git("config", "core.trustCtime", "false")
    workspace, _ = captured(repo)
    os.utime(workspace.path / "app.py", (1_000_000_000, 1_000_000_000))
    commit = capture(discover(repo.top), workspace).commit
    assert holds(workspace, commit)
    time.sleep(1)  # many a git compares whole seconds
    overwrite(inside(workspace), "app.py")
    assert not holds(workspace, commit)


def test_the_next_capture_seals_anew(repo: Repo) -> None:
    workspace, commit = captured(repo)
    inside(workspace).write("made/more", "")
    time.sleep(0.1)
    later = capture(discover(repo.top), workspace).commit
    assert later != commit
    assert holds(workspace, later)
    assert not holds(workspace, commit)


def test_a_repository_inside_leaves_no_seal(repo: Repo) -> None:
    workspace, _ = captured(repo)
    agent = inside(workspace)
    agent.git("init", "-q", "inner")
    agent.write("inner/file", "")
    time.sleep(0.1)
    assert not holds(workspace, capture(discover(repo.top), workspace).commit)


def test_what_was_written_a_moment_ago_leaves_no_seal(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It could be written to once more within one tick of the file system's clock.
    workspace, _ = captured(repo)
    tick = (workspace.path / "made").stat().st_ctime_ns
    monkeypatch.setattr("sideshoot.workspace.seal.now_ns", lambda _: tick)
    assert not holds(workspace, capture(discover(repo.top), workspace).commit)


def test_folders_are_found_where_their_links_say_nothing(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sideshoot.workspace.seal._COUNTING", frozenset())
    workspace, commit = captured(repo)
    assert holds(workspace, commit)
    inside(workspace).write("made/more", "")
    assert not holds(workspace, commit)
