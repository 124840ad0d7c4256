"""Capture: all that an agent left, whatever it did to git on the way."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import CaptureFailed
from sideshoot.git import discover
from sideshoot.workspace.capture import Captured, capture
from sideshoot.workspace.manifest import read_manifest
from support.workspaces import inside, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sideshoot.workspace.opening import Workspace
    from support.repos import Repo


def captured(repo: Repo, workspace: Workspace) -> Captured:
    return capture(discover(repo.top), workspace)


def test_an_untouched_workspace_is_the_base(repo: Repo) -> None:
    repo.write("app.py", "dirty\n")
    repo.write("untracked", "mine\n")
    workspace = opened(repo)

    result = captured(repo, workspace)

    assert result.tree == repo.text("rev-parse", f"{workspace.base}^{{tree}}")
    assert repo.committed(result.commit)[b"app.py"][1] == b"dirty\n"
    assert result.warnings == ()


@pytest.mark.parametrize("widened", ["disable", "add src", "set src", "none"])
def test_outside_of_a_sparse_checkout_counts_what_is_there(repo: Repo, widened: str) -> None:
    repo.git("sparse-checkout", "set", "docs")
    workspace = opened(repo)
    if widened != "none":
        inside(workspace).git("sparse-checkout", *widened.split())
    (workspace.path / "src").mkdir(exist_ok=True)
    (workspace.path / "src/beds.py").write_text("changed\n")
    (workspace.path / "src/new.py").write_text("new\n")

    result = captured(repo, workspace)

    changes = repo.text("diff-tree", "-r", "--name-status", workspace.base, result.commit)
    assert changes == "M\tsrc/beds.py\nA\tsrc/new.py"


def test_committed_staged_unstaged_and_untracked_work_is_all_there(repo: Repo) -> None:
    workspace = opened(repo)
    agent = inside(workspace)
    agent.write("committed", "1\n")
    last = agent.commit("by the agent")
    agent.write("staged", "2\n")
    agent.git("add", "staged")
    agent.write("app.py", "3\n")
    agent.write("untracked", "4\n")

    result = captured(repo, workspace)

    held = repo.committed(result.commit)
    assert [held[name][1] for name in (b"committed", b"staged", b"app.py", b"untracked")] == [
        b"1\n", b"2\n", b"3\n", b"4\n",
    ]  # fmt: skip
    assert last in repo.text("rev-list", result.commit).split()


def test_an_ignored_file_that_the_agent_added_all_the_same_is_there(repo: Repo) -> None:
    workspace = opened(repo)
    agent = inside(workspace)
    agent.write("build/out.bin", "made\n")
    agent.write("build/other.bin", "made\n")
    agent.git("add", "-f", "build/out.bin")

    held = repo.committed(captured(repo, workspace).commit)

    assert b"build/out.bin" in held
    assert b"build/other.bin" not in held


def test_capturing_twice_gives_the_same_commit(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).write("new", "1\n")

    first = captured(repo, workspace)
    assert captured(repo, workspace).commit == first.commit

    inside(workspace).write("new", "2\n")
    assert captured(repo, workspace).commit != first.commit


@pytest.mark.parametrize(
    "harm",
    [
        lambda ws: (ws.path / ".git").unlink(),
        lambda ws: (ws.path / ".git").write_text("gitdir: /nowhere\n"),
        lambda ws: (ws.git_dir / "index.lock").touch(),
        lambda ws: (ws.git_dir / "index").write_bytes(b"nonsense"),
        lambda ws: (ws.git_dir / "index").unlink(),
        lambda ws: (ws.git_dir / "commondir").write_text("/nowhere\n"),
        lambda ws: (ws.git_dir / "HEAD").write_text("ref: refs/heads/nothing\n"),
        lambda ws: shutil.rmtree(ws.git_dir),
        lambda ws: inside(ws).git("update-index", "--assume-unchanged", "app.py"),
        lambda ws: inside(ws).git("checkout", "-q", "--detach"),
        lambda ws: inside(ws).git("checkout", "-q", "-b", "elsewhere"),
    ],
    ids=[
        "no .git file",
        ".git file astray",
        "lock left",
        "index broken",
        "no index",
        "commondir astray",
        "HEAD astray",
        "git directory gone",
        "assume-unchanged",
        "detached",
        "other branch",
    ],
)
def test_what_an_agent_does_to_git_hides_nothing(
    repo: Repo, harm: Callable[[Workspace], object]
) -> None:
    repo.write("untracked", "the user's\n")
    workspace = opened(repo)
    agent = inside(workspace)
    harm(workspace)
    agent.write("app.py", "changed\n")
    agent.write("new", "made\n")
    agent.remove("docs/guide.txt")

    held = repo.committed(captured(repo, workspace).commit)

    assert held[b"app.py"][1] == b"changed\n"
    assert held[b"new"][1] == b"made\n"
    assert b"docs/guide.txt" not in held
    assert held[b"untracked"][1] == b"the user's\n"


def test_a_deleted_workspace_leaves_what_was_committed(repo: Repo) -> None:
    workspace = opened(repo)
    agent = inside(workspace)
    agent.write("committed", "1\n")
    agent.commit("by the agent")
    shutil.rmtree(workspace.path)

    result = captured(repo, workspace)

    assert repo.committed(result.commit)[b"committed"][1] == b"1\n"
    assert any("is gone" in warning for warning in result.warnings)


def test_a_file_that_the_filters_refuse_is_held_as_its_bytes(repo: Repo) -> None:
    repo.write(".gitattributes", "*.u16 text working-tree-encoding=UTF-16\n")
    repo.commit()
    workspace = opened(repo)
    inside(workspace).write("broken.u16", b"\xff\xfeodd")
    inside(workspace).write("fine", "fine\n")

    result = captured(repo, workspace)

    assert repo.committed(result.commit)[b"broken.u16"][1] == b"\xff\xfeodd"
    assert read_manifest(discover(repo.top), result.commit).raw == {b"broken.u16"}
    assert any("broken.u16" in warning for warning in result.warnings)


def test_a_mode_is_seen_though_the_user_does_not_look_at_modes(repo: Repo) -> None:
    repo.git("config", "core.fileMode", "false")
    workspace = opened(repo)
    inside(workspace).chmod("app.py", 0o755)

    assert repo.committed(captured(repo, workspace).commit)[b"app.py"][0] == 0o100755


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_that_can_not_be_read_is_named_and_nothing_is_lost(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).write("secret", "1\n", mode=0)

    with pytest.raises(CaptureFailed, match="secret"):
        captured(repo, workspace)
    assert workspace.path.exists()


class TestProgramsOfTheAgent:
    """git would run these for whoever asks it about the workspace; Sideshoot never does."""

    @pytest.fixture
    def mark(self, tmp_path: Path) -> Path:
        return tmp_path / "ran"

    def program(self, workspace: Workspace, mark: Path) -> Path:
        program = workspace.path / "evil.sh"
        program.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
        program.chmod(0o755)
        return program

    def test_of_a_rewritten_common_directory(self, repo: Repo, mark: Path) -> None:
        workspace = opened(repo)
        program = self.program(workspace, mark)
        fake = workspace.path / "fake"
        shutil.copytree(repo.common_dir, fake)
        with (fake / "config").open("a") as config:
            config.write(f"[core]\n\tfsmonitor = {program}\n")
        (workspace.git_dir / "commondir").write_text(f"{fake}\n")

        captured(repo, workspace)

        assert not mark.exists()

    def test_of_a_rewritten_git_file(self, repo: Repo, mark: Path) -> None:
        workspace = opened(repo)
        program = self.program(workspace, mark)
        inside(workspace).git("init", "-q", "other", env={"GIT_DIR": str(workspace.path / "other")})
        with (workspace.path / "other" / "config").open("a") as config:
            config.write(f"[core]\n\tfsmonitor = {program}\n")
        (workspace.path / ".git").write_text(f"gitdir: {workspace.path}/other\n")

        captured(repo, workspace)

        assert not mark.exists()

    @pytest.mark.parametrize("committed", [False, True], ids=["unborn", "committed"])
    def test_of_a_repository_inside(self, repo: Repo, mark: Path, committed: bool) -> None:
        workspace = opened(repo)
        program = self.program(workspace, mark)
        agent = inside(workspace)
        agent.write("inner/.gitattributes", "* filter=evil\n")
        agent.write("inner/file", "1\n")
        agent.git("init", "-q", "inner")
        inner = workspace.path / "inner"
        if committed:
            agent.git("add", "-A", cwd=inner)
            agent.git("commit", "-qm", "inner", cwd=inner)
        agent.git("config", "filter.evil.clean", str(program), cwd=inner)
        agent.git("config", "core.fsmonitor", str(program), cwd=inner)
        agent.write("inner/file", "2\n")
        mark.unlink(missing_ok=True)

        captured(repo, workspace)

        assert not mark.exists()
