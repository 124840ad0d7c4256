"""A workspace holds what the user's tree holds, and opening it changes nothing of the user's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import CannotStart, CaptureFailed
from sideshoot.git import discover
from sideshoot.model import Carry
from sideshoot.workspace.base import make_base
from sideshoot.workspace.guard import compare, take_guard
from sideshoot.workspace.opening import open_workspace, plan_workspace, verify, writable_folders
from sideshoot.workspace.removal import remove_workspace
from support.hostile import configure
from support.repos import Repo, as_git_sees
from support.workspaces import JOB, inside, opened, planned, traces, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.workspace.opening import Workspace


def make_dirty(repo: Repo) -> None:
    """A staged change, an unstaged one on top, a deletion, a link, a program, untracked files."""
    repo.write("app.py", "staged = 1\n")
    repo.git("add", "app.py")
    repo.write("app.py", "staged = 1\nunstaged = 2\n")
    repo.write("fresh.py", "print('new')\n", mode=0o755)
    repo.git("add", "fresh.py")
    repo.remove("docs/guide.txt")
    repo.link("way", "src/beds.py")
    repo.write(b"odd \xff\nname", b"\0\1\2")
    repo.write("debug.log", "ignored")


def test_holds_the_users_tree_as_it_is(repo: Repo) -> None:
    make_dirty(repo)
    expected = repo.tree()
    del expected[b"debug.log"]

    workspace = opened(repo)

    assert as_git_sees(inside(workspace).tree()) == as_git_sees(expected)
    assert inside(workspace).head() == repo.head()
    assert inside(workspace).text("symbolic-ref", "HEAD") == f"refs/heads/sideshoot/{JOB}"


def test_says_in_git_status_what_the_users_tree_says(repo: Repo) -> None:
    make_dirty(repo)
    workspace = opened(repo)
    assert inside(workspace).status() == repo.status()
    assert inside(workspace).index() == repo.index()


def test_changes_nothing_of_the_users(repo: Repo) -> None:
    make_dirty(repo)
    before = repo.fingerprint()
    opened(repo)
    assert repo.fingerprint() == before


def test_carries_nothing_if_asked_so(repo: Repo) -> None:
    make_dirty(repo)
    workspace = opened(repo, carry=Carry.NONE)
    assert inside(workspace).status() == b""
    assert as_git_sees(inside(workspace).tree()) == repo.committed("HEAD")


def test_private_index_holds_the_base_and_knows_the_files(repo: Repo) -> None:
    make_dirty(repo)
    workspace = opened(repo)
    git = workspace.repository.git.with_index(workspace.private_index)
    assert git.text("write-tree") == workspace.repository.tree_of(workspace.base)
    assert git.run("diff-files", "--raw", "-z").stdout == b""


def test_is_locked_against_prune(repo: Repo) -> None:
    workspace = opened(repo)
    workspace.path.rename(repo.top.parent / "unmounted")
    repo.git("worktree", "prune", "--expire=now")
    repo.git("gc", "-q", "--prune=now")
    assert workspace.private_index.exists()
    assert b"locked sideshoot k3f9" in repo.git("worktree", "list", "--porcelain")


def test_runs_no_hook_and_writes_no_configuration(repo: Repo, tools: Path) -> None:
    configure("core.hooksPath", str(tools / "hooks"))
    configure("branch.autoSetupMerge", "always")
    configure("core.fsmonitor", str(tools / "broken"))
    before = (repo.common_dir / "config").read_bytes()
    opened(repo)
    assert (repo.common_dir / "config").read_bytes() == before


# -- the exclude line


def exclude_lines(repo: Repo) -> list[bytes]:
    return (repo.common_dir / "info" / "exclude").read_bytes().splitlines()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(None, id="no file"),
        pytest.param(b"", id="empty"),
        pytest.param(b"*.tmp", id="no line end"),
        pytest.param(b"# .worktrees/ is where I keep things\n", id="in a comment"),
        pytest.param(b"/.worktrees-old\n!/.worktrees/x\n", id="similar lines"),
    ],
)
def test_excludes_its_folder_once(repo: Repo, before: bytes | None) -> None:
    file = repo.common_dir / "info" / "exclude"
    file.unlink()
    if before is not None:
        file.write_bytes(before)
    opened(repo, "j1")
    opened(repo, "j2")
    assert exclude_lines(repo) == [*(before or b"").splitlines(), b"/.worktrees"]
    assert repo.status() == b""


def test_excludes_its_folder_without_an_info_folder(repo: Repo) -> None:
    (repo.common_dir / "info" / "exclude").unlink()
    (repo.common_dir / "info").rmdir()
    opened(repo)
    assert repo.status() == b""


def test_excludes_its_folder_in_a_linked_working_tree(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "other", "../other")
    linked = Repo(repo.top.parent / "other")
    workspace = opened(linked)
    assert workspace.path == linked.top / ".worktrees" / JOB
    assert linked.status() == repo.status() == b""


def test_excludes_a_folder_that_is_a_link(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo.top / ".worktrees").symlink_to(tmp_path / "elsewhere")
    workspace = opened(repo)
    assert (tmp_path / "elsewhere" / JOB / "app.py").exists()
    assert repo.status() == inside(workspace).status() == b""


def test_one_line_though_many_open_at_once(repo: Repo) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from support.repos import Repo\nfrom support.workspaces import opened\n"
        "sys.stdin.read()\n"
        "opened(Repo(Path(sys.argv[1])), sys.argv[2])\n"
    )
    processes = [
        start_python(script, str(repo.top), f"job{number}", stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    for process in processes:
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    assert exclude_lines(repo).count(b"/.worktrees") == 1
    assert len(repo.git("worktree", "list").splitlines()) == 5


def test_says_that_the_exclude_file_cannot_be_written(repo: Repo) -> None:
    workspace, base = planned(repo)
    (repo.common_dir / "info" / "exclude").unlink()
    (repo.common_dir / "info" / "exclude").mkdir()
    with pytest.raises(CannotStart, match=r"can't exclude .*\.worktrees from git status"):
        open_workspace(discover(repo.top), workspace, base)
    assert traces(repo) == []


def test_a_file_in_the_folders_place_is_named(repo: Repo) -> None:
    (repo.top / ".worktrees").write_text("mine\n")
    with pytest.raises(CannotStart, match=r"\.worktrees"):
        opened(repo)
    assert (repo.top / ".worktrees").read_text() == "mine\n"


# -- places and names


def test_lies_where_it_is_told_to(repo: Repo, tmp_path: Path) -> None:
    workspace = opened(repo, "out", directory=tmp_path / "far" / "away")
    assert workspace.path == tmp_path / "far" / "away" / "out"
    inner = opened(repo, "in", directory=Path("tmp [1]*"))
    assert inner.path == repo.top / "tmp [1]*" / "in"
    assert repo.status() == b""


def test_lies_beside_the_workspace_that_it_is_for(repo: Repo) -> None:
    first = opened(repo, "first")
    (first.path / "app.py").write_text("by the agent\n")
    second = opened(inside(first), "second")
    assert second.path == first.path.parent / "second"
    assert (second.path / "app.py").read_text() == "by the agent\n"
    assert b".worktrees" not in inside(first).status()


def test_takes_free_names(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--detach", f"../elsewhere/{JOB}")
    (repo.top / ".worktrees" / f"{JOB}1").mkdir(parents=True)
    workspace = opened(repo)
    assert workspace.path.name == workspace.git_dir.name == f"{JOB}2"


@pytest.mark.parametrize("taken", ["sideshoot", f"sideshoot/{JOB}"])
def test_a_branch_of_the_users_is_not_in_the_way(repo: Repo, taken: str) -> None:
    repo.git("branch", taken)
    repo.git("pack-refs", "--all")
    before = repo.refs()
    workspace = opened(repo)
    assert workspace.branch == f"sideshoot-jobs/{JOB}"
    assert inside(workspace).head() == repo.head()
    assert before.items() <= repo.refs().items()


# -- kinds of repositories


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "new", {})
    repo.write("staged.py", "1\n")
    repo.git("add", "staged.py")
    repo.write("untracked.py", "2\n")
    workspace = opened(repo)
    assert workspace.head is None
    assert inside(workspace).status() == repo.status()
    assert set(inside(workspace).tree()) == {b"staged.py", b"untracked.py"}
    inside(workspace).commit("first of all")
    assert repo.git("rev-parse", "-q", "--verify", "HEAD", accept=(1,)) == b""


def test_in_an_empty_repository(tmp_path: Path) -> None:
    workspace = opened(Repo.create(tmp_path / "new", {}))
    assert inside(workspace).tree() == {}
    assert inside(workspace).status() == b""


def test_with_a_detached_head(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")
    workspace = opened(repo)
    assert inside(workspace).head() == repo.head()
    assert inside(workspace).text("branch", "--show-current") == f"sideshoot/{JOB}"


def test_with_sha256(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "wide", options=["--object-format=sha256"])
    make_dirty(repo)
    workspace = opened(repo)
    assert inside(workspace).status() == repo.status()


def test_with_a_separate_git_directory(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "tree", options=[f"--separate-git-dir={tmp_path / 'store'}"])
    make_dirty(repo)
    workspace = opened(repo)
    assert workspace.common_dir == tmp_path / "store"
    assert inside(workspace).status() == repo.status()


@pytest.mark.parametrize("empty", [False, True])
def test_with_reftables(tmp_path: Path, empty: bool) -> None:
    try:
        files: dict[str, str] | None = {} if empty else None
        repo = Repo.create(tmp_path / "tables", files, options=["--ref-format=reftable"])
    except AssertionError:
        pytest.skip("this git has no reftables yet")
    repo.write("fresh.py", "x\n")
    repo.git("add", "fresh.py")
    guard = take_guard(discover(repo.top), JOB, f"sideshoot/{JOB}")
    before = repo.fingerprint()
    workspace = opened(repo)
    assert repo.fingerprint() == before
    assert inside(workspace).status() == repo.status()
    assert inside(workspace).text("symbolic-ref", "HEAD") == workspace.branch_ref
    assert verify(workspace) == []
    inside(workspace).commit("by the agent")
    assert compare(discover(repo.top), guard) == []
    repo.git("symbolic-ref", "HEAD", "refs/heads/other")
    assert "HEAD of your working tree changed" in compare(discover(repo.top), guard)[0]
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])


def test_in_a_submodule(repo: Repo, tmp_path: Path) -> None:
    other = Repo.create(tmp_path / "library")
    repo.git("submodule", "add", "-q", str(other.top), "lib")
    repo.commit("with a submodule")
    submodule = Repo(repo.top / "lib")
    make_dirty(submodule)
    before = repo.status(), repo.index(), submodule.fingerprint()
    workspace = opened(submodule)
    assert workspace.path == repo.top / "lib" / ".worktrees" / JOB
    assert inside(workspace).status() == submodule.status()
    assert (repo.status(), repo.index(), submodule.fingerprint()) == before


def test_with_submodules_inside(repo: Repo, tmp_path: Path) -> None:
    other = Repo.create(tmp_path / "library")
    repo.git("submodule", "add", "-q", str(other.top), "lib")
    repo.commit("with a submodule")
    workspace = opened(repo)
    assert inside(workspace).status() == b""
    assert (workspace.path / "lib" / "app.py").exists()


def test_inherits_a_sparse_checkout(repo: Repo) -> None:
    repo.git("sparse-checkout", "set", "docs")
    repo.write("docs/guide.txt", "changed\n")
    assert not repo.exists("src")
    workspace = opened(repo)
    assert not (workspace.path / "src").exists()
    assert (workspace.path / "docs" / "guide.txt").read_text() == "changed\n"
    assert inside(workspace).status() == repo.status()
    assert inside(workspace).index() == repo.index()
    # Each has its own from here on.
    inside(workspace).git("sparse-checkout", "disable")
    assert (workspace.path / "src" / "beds.py").exists()
    assert not repo.exists("src")


def test_inherits_configuration_of_the_working_tree(repo: Repo) -> None:
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "core.worktree", str(repo.top))
    repo.git("config", "--worktree", "core.bare", "false")
    repo.git("config", "--worktree", "garden.colour", "green")
    workspace = opened(repo)
    assert inside(workspace).text("config", "garden.colour") == "green"
    assert inside(workspace).text("rev-parse", "--show-toplevel") == str(workspace.path)


def test_in_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    repo.commit("second")
    repo.git("clone", "-q", "--depth=1", repo.top.as_uri(), str(tmp_path / "shallow"))
    shallow = Repo(tmp_path / "shallow")
    workspace = opened(shallow)
    assert inside(workspace).status() == b""
    assert inside(workspace).text("rev-list", "--count", "HEAD") == "1"


def test_in_a_partial_clone_fetches_once(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    target = str(tmp_path / "partial")
    repo.git("clone", "-q", "--no-checkout", "--filter=blob:none", repo.top.as_uri(), target)
    partial = Repo(tmp_path / "partial")
    repository = discover(partial.top)
    base = make_base(repository, JOB, carry=Carry.NONE)
    workspace = plan_workspace(repository, JOB, base)
    open_workspace(repository, workspace, base)
    assert as_git_sees(inside(workspace).tree()) == repo.committed("HEAD")
    packs = list((partial.common_dir / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 2  # the clone, and all missing contents at once


# -- contents through filters


def test_writes_through_the_filters_of_the_base(repo: Repo) -> None:
    repo.git("config", "filter.upper.clean", "tr A-Z a-z")
    repo.git("config", "filter.upper.smudge", "tr a-z A-Z")
    repo.write(
        ".gitattributes",
        "*.up filter=upper\n*.bat eol=crlf\n*.u16 working-tree-encoding=UTF-16LE\n",
    )
    repo.write("a.up", "LOUD\n")
    repo.write("a.bat", b"dir\r\n")
    repo.write("a.u16", "grün\n".encode("utf-16-le"))
    workspace = opened(repo)
    assert inside(workspace).read("a.up") == b"LOUD\n"
    assert inside(workspace).read("a.bat") == b"dir\r\n"
    assert inside(workspace).read("a.u16") == "grün\n".encode("utf-16-le")
    assert inside(workspace).status() == repo.status()


def test_writes_what_the_filters_refuse_as_its_bytes(repo: Repo) -> None:
    repo.write(".gitattributes", "*.u16 working-tree-encoding=UTF-16 eol=crlf\n")
    repo.write("broken.u16", b"no mark, odd\n\xff")
    workspace = opened(repo)
    assert inside(workspace).read("broken.u16") == b"no mark, odd\n\xff"


# -- all or nothing


def test_a_failure_takes_everything_back(repo: Repo) -> None:
    repo.write(".gitattributes", "*.py filter=fails\n")
    repo.commit("with a filter")
    repo.git("config", "filter.fails.clean", "cat")
    repo.git("config", "filter.fails.smudge", "exit 7")
    repo.git("config", "filter.fails.required", "true")
    before = repo.fingerprint()
    with pytest.raises(CannotStart, match=r"can't be opened: .*; nothing was changed") as caught:
        opened(repo)
    assert "\n" not in str(caught.value)
    wait_until(lambda: traces(repo) == [])
    assert repo.fingerprint() == before


def test_a_folder_in_its_place_is_left_alone(repo: Repo) -> None:
    workspace, base = planned(repo)
    workspace.path.mkdir(parents=True)
    (workspace.path / "precious").write_text("mine\n")
    with pytest.raises(CannotStart, match="File exists"):
        open_workspace(discover(repo.top), workspace, base)
    assert (workspace.path / "precious").read_text() == "mine\n"


def test_a_branch_that_came_meanwhile_is_left_alone(repo: Repo) -> None:
    workspace, base = planned(repo)
    repo.git("branch", workspace.branch)
    with pytest.raises(CannotStart, match="already exists"):
        open_workspace(discover(repo.top), workspace, base)
    wait_until(lambda: traces(repo) == [f"branch: {workspace.branch_ref}"])
    remove_workspace(discover(repo.top), workspace)
    assert repo.text("rev-parse", workspace.branch) == repo.head()


# -- what a fenced agent may write


def test_a_commit_writes_in_the_four_folders_only(repo: Repo) -> None:
    workspace = opened(repo)
    folders = writable_folders(workspace)
    assert len(folders) == 4
    before = files_below(repo.common_dir)
    inside(workspace).write("app.py", "by the agent\n")
    inside(workspace).commit("by the agent")
    changed = {
        path for path, facts in files_below(repo.common_dir).items() if facts != before.get(path)
    }
    assert changed
    assert [path for path in changed if not any(map(path.is_relative_to, folders))] == []
    main = repo.common_dir / "refs" / "heads" / "main"
    assert not any(main.is_relative_to(folder) for folder in folders)


def test_the_four_folders_are_there_after_the_users_git_tidied_up(repo: Repo) -> None:
    """With the last loose ref its folder goes, and what is not there can't be opened to an agent."""
    workspace = opened(repo)
    repo.git("pack-refs", "--all", "--prune")
    shutil.rmtree(repo.common_dir / "logs" / "refs" / "heads" / "sideshoot", ignore_errors=True)
    assert all(folder.is_dir() for folder in writable_folders(workspace))


# -- what the agent may have done to it


def delete_git_file(workspace: Workspace) -> None:
    (workspace.path / ".git").unlink()


def rewrite_git_file(workspace: Workspace) -> None:
    (workspace.path / ".git").write_text("gitdir: /nowhere\n")


def make_repository_of_its_own(workspace: Workspace) -> None:
    (workspace.path / ".git").unlink()
    Repo(workspace.path).git("init", "-q")


def rewrite_common_directory(workspace: Workspace) -> None:
    (workspace.git_dir / "commondir").write_text("/tmp\n")


def spoil_head(workspace: Workspace) -> None:
    (workspace.git_dir / "HEAD").write_text("garbage\n")


def turn_head_into_pipe(workspace: Workspace) -> None:
    (workspace.git_dir / "HEAD").unlink()
    os.mkfifo(workspace.git_dir / "HEAD")


def delete_git_directory(workspace: Workspace) -> None:
    subprocess.run(["rm", "-r", str(workspace.git_dir)], check=True)


@pytest.mark.parametrize(
    "damage",
    [
        delete_git_file,
        rewrite_git_file,
        make_repository_of_its_own,
        rewrite_common_directory,
        spoil_head,
        turn_head_into_pipe,
        delete_git_directory,
    ],
)
def test_git_still_finds_the_right_repository(
    repo: Repo, damage: Callable[[Workspace], None]
) -> None:
    workspace = opened(repo)
    head = repo.head()
    damage(workspace)
    verify(workspace)
    assert verify(workspace) == []
    repository = workspace.repository
    assert repository.git.text("rev-parse", "--verify", f"sideshoot/{JOB}") == head
    assert repository.git.text("symbolic-ref", "HEAD") == f"refs/heads/sideshoot/{JOB}"
    assert repository.head() == head


def test_a_changed_head_that_git_can_read_stays(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).git("checkout", "-q", "--detach")
    inside(workspace).commit("detached")
    head = inside(workspace).head()
    assert verify(workspace) == []
    assert workspace.repository.head() == head


def test_configuration_that_would_run_a_program_is_set_aside(repo: Repo, tmp_path: Path) -> None:
    repo.git("sparse-checkout", "set", "docs")
    workspace = opened(repo)
    inside(workspace).git("config", "--worktree", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    (workspace.path / ".gitattributes").write_text("* filter=evil\n")
    notes = verify(workspace)
    workspace.repository.git.run("add", "-A", "--sparse")
    assert not (tmp_path / "ran").exists()
    assert any("configuration had been changed" in note for note in notes)
    assert (workspace.claim / "config.worktree.agent").exists()
    assert inside(workspace).text("config", "core.sparseCheckout") == "true"


def test_another_cone_of_the_agents_stays(repo: Repo) -> None:
    repo.git("sparse-checkout", "set", "docs")
    workspace = opened(repo)
    inside(workspace).git("sparse-checkout", "disable")
    assert verify(workspace) == []
    assert inside(workspace).text("config", "core.sparseCheckout") == "false"


@pytest.mark.parametrize("instead", ["nothing", "a link"])
def test_a_workspace_that_is_gone_is_never_another_folder(
    repo: Repo, tmp_path: Path, instead: str
) -> None:
    workspace = opened(repo)
    workspace.path.rename(tmp_path / "moved")
    if instead == "a link":
        workspace.path.symlink_to(repo.top)
    with pytest.raises(CaptureFailed, match="is gone"):
        verify(workspace)


# -- a crash


@pytest.mark.parametrize("step", ["open.registered", "open.filled"])
def test_a_crash_leaves_what_removal_takes_away(repo: Repo, step: str) -> None:
    before = repo.fingerprint()
    script = (
        "import sys; from pathlib import Path\n"
        "from support.repos import Repo\nfrom support.workspaces import opened\n"
        "opened(Repo(Path(sys.argv[1])))\n"
    )
    workspace, _ = planned(repo)
    process = start_python(script, str(repo.top), SIDESHOOT_CRASH_AT=step)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, stderr
    remove_workspace(discover(repo.top), workspace)
    wait_until(lambda: traces(repo) == [])
    assert repo.fingerprint() == before


def start_python(
    script: str, *argv: str, stdin: int = subprocess.DEVNULL, **variables: str
) -> subprocess.Popen[bytes]:
    tests = str(Path(__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", script, *argv],
        env={**os.environ, "PYTHONPATH": tests, **variables},
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def files_below(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            facts = path.stat()
            found[path] = (facts.st_mtime_ns, facts.st_ino)
    return found
