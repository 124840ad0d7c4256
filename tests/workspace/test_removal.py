"""Removal takes away all of a workspace, in whatever state it is, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import SideshootError
from sideshoot.git import discover
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.trash import PREFIX, empty_trash, put_into_trash
from support.repos import Repo
from support.workspaces import JOB, inside, opened, planned, traces, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.workspace.place import Workspace


def test_leaves_no_trace(repo: Repo) -> None:
    before = repo.fingerprint()
    workspace = opened(repo)
    remove_workspace(discover(repo.top), workspace)
    assert not workspace.path.exists()
    wait_until(lambda: traces(repo) == [])
    assert repo.fingerprint() == before
    assert repo.text("rev-parse", f"refs/sideshoot/{JOB}/base") == workspace.base


def test_leaves_the_others(repo: Repo) -> None:
    first, second = opened(repo, "first"), opened(repo, "second")
    remove_workspace(discover(repo.top), first)
    wait_until(lambda: not list(second.path.parent.glob(f"{PREFIX}*")))
    assert inside(second).status() == b""
    assert repo.text("rev-parse", second.branch) == repo.head()


def test_can_be_repeated(repo: Repo) -> None:
    workspace = opened(repo)
    remove_workspace(discover(repo.top), workspace)
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])


def test_of_a_workspace_never_opened(repo: Repo) -> None:
    workspace, _ = planned(repo)
    remove_workspace(discover(repo.top), workspace)
    assert traces(repo) == []


# -- what is not ours stays


def test_a_folder_that_was_never_ours_stays(repo: Repo) -> None:
    workspace, _ = planned(repo)
    workspace.path.mkdir(parents=True)
    (workspace.path / "precious").write_text("mine\n")
    remove_workspace(discover(repo.top), workspace)
    assert (workspace.path / "precious").read_text() == "mine\n"


def test_a_working_tree_that_was_never_ours_stays(repo: Repo) -> None:
    workspace, _ = planned(repo)
    repo.git("worktree", "add", "-q", "--detach", str(workspace.path))
    remove_workspace(discover(repo.top), workspace)
    assert inside(workspace).status() == b""


def test_a_workspace_that_the_user_moved_stays(repo: Repo, tmp_path: Path) -> None:
    workspace = opened(repo)
    repo.git("worktree", "move", "-f", "-f", str(workspace.path), str(tmp_path / "mine"))
    with pytest.raises(SideshootError, match=r"was moved to .*mine, nothing was removed"):
        remove_workspace(discover(repo.top), workspace)
    assert Repo(tmp_path / "mine").status() == b""


def test_what_a_link_points_to_stays(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("mine\n")
    workspace = opened(repo)
    (workspace.path / "link").symlink_to(tmp_path / "mine")
    shutil.rmtree(workspace.path / "src")
    (workspace.path / "src").symlink_to(tmp_path / "mine")
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])
    assert (tmp_path / "mine" / "precious").read_text() == "mine\n"


def test_a_link_in_the_workspaces_place_is_removed_alone(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("mine\n")
    workspace = opened(repo)
    shutil.rmtree(workspace.path)
    workspace.path.symlink_to(tmp_path / "mine")
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])
    assert (tmp_path / "mine" / "precious").read_text() == "mine\n"


def test_the_users_own_files_beside_workspaces_stay(repo: Repo) -> None:
    workspace = opened(repo)
    (workspace.path.parent / ".trash-of-mine").mkdir()
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == ["folder: .trash-of-mine", ".worktrees"])


# -- the branch


def test_a_commit_that_only_the_branch_has_stays_reachable(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).write("app.py", "by the agent\n")
    commit = inside(workspace).commit("by the agent")
    remove_workspace(discover(repo.top), workspace)
    assert repo.text("rev-parse", f"refs/sideshoot/{JOB}/branch") == commit
    assert repo.refs() == {"refs/heads/main": repo.head()}


def test_the_branch_stays_where_the_user_has_it_checked_out(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).git("checkout", "-q", "--detach")
    repo.git("checkout", "-q", workspace.branch)
    remove_workspace(discover(repo.top), workspace)
    assert repo.text("symbolic-ref", "HEAD") == workspace.branch_ref
    assert repo.status() == b""


def test_another_branch_of_the_agents_stays(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).git("checkout", "-q", "-b", "feature")
    commit = inside(workspace).commit("on another branch")
    remove_workspace(discover(repo.top), workspace)
    assert repo.text("rev-parse", "feature") == commit


# -- damaged and half-made workspaces


def lose_folder(workspace: Workspace) -> None:
    shutil.rmtree(workspace.path)


def lose_git_file(workspace: Workspace) -> None:
    (workspace.path / ".git").unlink()


def lose_git_directory(workspace: Workspace) -> None:
    shutil.rmtree(workspace.git_dir)


def lose_both(workspace: Workspace) -> None:
    lose_folder(workspace)
    lose_git_directory(workspace)


def lose_branch(workspace: Workspace) -> None:
    inside(workspace).git("checkout", "-q", "--detach")
    inside(workspace).git("branch", "-q", "-D", workspace.branch)


def init_inside(workspace: Workspace) -> None:
    lose_git_file(workspace)
    inside(workspace).git("init", "-q")


def lock_for_another_reason(workspace: Workspace) -> None:
    inside(workspace).git("worktree", "unlock", str(workspace.path))
    inside(workspace).git("worktree", "lock", "--reason", "mine", str(workspace.path))


def leave_index_lock(workspace: Workspace) -> None:
    (workspace.git_dir / "index.lock").touch()


def rewrite_gitdir(workspace: Workspace) -> None:
    (workspace.git_dir / "gitdir").write_text("/nowhere/.git\n")


def make_read_only_folders(workspace: Workspace) -> None:
    deep = workspace.path / "cache" / "mod" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "file").chmod(0o400)
    for folder in (deep, deep.parent, deep.parent.parent):
        folder.chmod(0o555)


def make_very_deep_folders(workspace: Workspace) -> None:
    here = os.open(workspace.path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)


def make_special_files(workspace: Workspace) -> None:
    os.mkfifo(workspace.path / "pipe")
    (workspace.path / os.fsdecode(b"odd \xff\nname")).mkdir()


def nest_a_working_tree(workspace: Workspace) -> None:
    inside(workspace).git("worktree", "add", "-q", "--detach", "nested")
    inside(workspace).git("worktree", "prune")


@pytest.mark.parametrize(
    "damage",
    [
        lose_folder,
        lose_git_file,
        lose_git_directory,
        lose_both,
        lose_branch,
        init_inside,
        lock_for_another_reason,
        leave_index_lock,
        rewrite_gitdir,
        make_read_only_folders,
        make_very_deep_folders,
        make_special_files,
    ],
)
def test_copes_with(repo: Repo, damage: Callable[[Workspace], None]) -> None:
    before = repo.fingerprint()
    workspace = opened(repo)
    damage(workspace)
    remove_workspace(discover(repo.top), workspace)
    assert not workspace.path.exists()
    wait_until(lambda: traces(repo) == [])
    assert repo.fingerprint() == before


def test_copes_with_being_called_from_inside(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = opened(repo)
    monkeypatch.chdir(workspace.path / "src")
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])


def test_for_a_repository_with_a_working_tree_inside_the_workspace(repo: Repo) -> None:
    workspace = opened(repo)
    nest_a_working_tree(workspace)
    remove_workspace(discover(repo.top), workspace)
    repo.git("worktree", "prune", "--expire=now")
    wait_until(lambda: traces(repo) == [])


@pytest.mark.parametrize("step", ["discard.renamed", "discard.unregistered"])
def test_a_crash_in_the_middle_is_finished_by_the_next_call(repo: Repo, step: str) -> None:
    before = repo.fingerprint()
    workspace = opened(repo)
    child = os.fork()
    if child == 0:
        os.environ["SIDESHOOT_CRASH_AT"] = step
        remove_workspace(discover(repo.top), workspace)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])
    assert repo.fingerprint() == before


def test_says_what_is_mounted_inside(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("mine\n")
    workspace = opened(repo)
    place = workspace.path / "a mount"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "--bind", str(tmp_path / "mine"), str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount here")
    try:
        with pytest.raises(SideshootError, match=r"mounted at .*a mount, nothing was removed"):
            remove_workspace(discover(repo.top), workspace)
        assert inside(workspace).exists("app.py")
        # Trash never follows a mount either, whoever put it there.
        put_into_trash(workspace.path)
        empty_trash(workspace.path.parent)
        assert (tmp_path / "mine" / "precious").read_text() == "mine\n"
    finally:
        mount = next(iter(workspace.path.parent.glob("*/a mount")), place)
        left = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        here = [name for name in left if name.startswith(str(repo.top).replace(" ", "\\040"))]
        subprocess.run(["umount", str(mount)], check=bool(here), capture_output=True)


# -- trash


def test_trash_is_emptied_by_two_at_once(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{PREFIX}{number}" / "a" / "b").mkdir(parents=True)
        (tmp_path / f"{PREFIX}{number}" / "a" / "file").touch()
    (tmp_path / "mine").mkdir()
    threads = [threading.Thread(target=empty_trash, args=(tmp_path,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    empty_trash(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_process_that_deletes_yields_to_others(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "seen")
    script = (
        "import os, sys, runpy\n"
        "sys.argv = ['trash', sys.argv[1], '--']\n"
        "runpy.run_module('sideshoot.workspace.trash', run_name='__main__')\n"
        "print(os.nice(0))\n"
    )
    (tmp_path / f"{PREFIX}1").mkdir()
    done = subprocess.run(
        ["nice", "-n", "19", sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        timeout=60,
    )
    assert done.stdout == b"19\n", done.stderr
    assert stat.S_ISFIFO((tmp_path / "seen").stat().st_mode)
    assert not (tmp_path / f"{PREFIX}1").exists()
