"""What `.worktreeinclude` names is in the workspace, and is nobody's work until somebody changes it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import CannotStart
from sideshoot.git import discover
from sideshoot.model import Carry, JobId
from sideshoot.workspace import included, trees
from sideshoot.workspace.base import make_base
from sideshoot.workspace.capture import capture
from sideshoot.workspace.copying import copy_bytes
from sideshoot.workspace.ignored import bring_ignored, list_ignored
from sideshoot.workspace.opening import open_workspace, plan_workspace
from support.hostile import configure
from support.repos import Repo
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from sideshoot.workspace.place import Workspace

RULES = ".env\nnode_modules/\n.venv\n"
IGNORED = "*.log\nbuild/\n.env\nnode_modules/\n.venv/\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project that needs what git ignores."""
    repo = Repo.create(tmp_path / "garden")
    repo.write(".gitignore", IGNORED)
    repo.write(".worktreeinclude", RULES)
    repo.commit()
    repo.write(".env", "SECRET=1\n", mode=0o600)
    repo.write("node_modules/left/index.js", "module.exports = 1\n")
    repo.write("node_modules/.bin/left.js", "#!/bin/sh\n", mode=0o755)
    repo.link("node_modules/.bin/left", "left.js")
    (repo.top / "node_modules/empty").mkdir()
    repo.write("other.log", "not asked for\n")
    return repo


def notes_of(repo: Repo, job: str = JOB, **how: Carry | str) -> list[str]:
    repository = discover(repo.top)
    base = make_base(repository, JobId(job), **how)  # type: ignore[arg-type]
    return open_workspace(repository, plan_workspace(repository, JobId(job), base), base)


def result_of(repo: Repo, workspace: Workspace) -> set[str]:
    """The paths that the result changes."""
    commit = capture(discover(repo.top), workspace).commit
    return {*repo.text("diff", "--name-only", workspace.base, commit).splitlines()}


def test_it_is_there_as_it_lies_with_the_user(repo: Repo) -> None:
    os.utime(repo.place(".env"), (1_000_000_000, 1_000_000_000))
    os.utime(repo.place("node_modules"), (1_000_000_001, 1_000_000_001))
    there = inside(opened(repo))
    assert there.read(".env") == b"SECRET=1\n"
    assert stat.S_IMODE(there.place(".env").stat().st_mode) == 0o600
    assert there.place(".env").stat().st_mtime == 1_000_000_000
    assert there.place("node_modules").stat().st_mtime == 1_000_000_001
    assert there.place("node_modules/.bin/left.js").stat().st_mode & 0o100
    assert there.place("node_modules/.bin/left").readlink() == Path("left.js")
    assert there.place("node_modules/empty").is_dir()
    assert not there.place("other.log").exists()
    assert there.git("status", "--porcelain") == b""


def test_nothing_is_shared_with_the_user(repo: Repo) -> None:
    there = inside(opened(repo))
    for path in (".env", "node_modules/left/index.js"):
        assert there.place(path).stat().st_ino != repo.place(path).stat().st_ino
        assert repo.place(path).stat().st_nlink == 1
    there.write(".env", "SECRET=2\n")
    assert repo.read(".env") == b"SECRET=1\n"


def test_it_is_no_work_of_the_agent(repo: Repo) -> None:
    workspace = opened(repo)
    assert list_ignored(workspace).count == 0
    assert result_of(repo, workspace) == set()


def test_what_the_agent_does_to_it_is_listed(repo: Repo, tmp_path: Path) -> None:
    workspace = opened(repo)
    there = inside(workspace)
    there.write(".env", "SECRET=2\n")  # as long as before, and in the same second
    there.write("node_modules/right/index.js", "new")
    there.write("node_modules/left/more.js", "new")
    there.place("node_modules/.bin/left.js").unlink()
    there.write("x.log", "new")
    found = list_ignored(workspace)
    assert found.paths == (
        b".env",
        b"node_modules/left/more.js",
        b"node_modules/right/",
        b"x.log",
    )
    assert result_of(repo, workspace) == set()
    (tmp_path / "copies").mkdir()
    copies = bring_ignored(workspace, [b".env"], tmp_path / "copies")
    assert (tmp_path / "copies" / os.fsdecode(copies[b".env"])).read_bytes() == b"SECRET=2\n"


def test_no_secret_is_captured_whatever_becomes_of_the_rules(repo: Repo) -> None:
    workspace = opened(repo)
    there = inside(workspace)
    there.write(".gitignore", "")
    there.write("node_modules/left/own.js", "the agent's")
    there.write("new.txt", "the agent's")
    there.git("add", "-A")
    there.git("commit", "-qm", "all of it")
    assert result_of(repo, workspace) == {".gitignore", "new.txt", "node_modules/left/own.js"}
    captured = capture(discover(repo.top), workspace)
    assert any("agent put .env and" in note for note in captured.warnings)


def test_what_the_workspace_does_not_ignore_stays_out(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\nbuild/\n")
    there = inside(opened(repo, carry=Carry.NONE, job="none"))
    assert there.place(".env").exists()  # The commit's rules count, not the user's new ones.
    repo.git("commit", "-qam", "less is ignored")
    there = inside(opened(repo, carry=Carry.NONE, job="next"))
    assert not there.place(".env").exists()
    assert there.git("status", "--porcelain") == b""


def test_rules_for_what_is_in_a_folder(repo: Repo) -> None:
    repo.write(".gitignore", "cache/*\n!cache/kept\nlocal/\n")
    repo.write(".worktreeinclude", "cache\nlocal/*.key\n")
    repo.write("cache/kept", "known\n")
    repo.commit()
    repo.write("cache/a", "a")
    repo.write("cache/deep/b", "b")
    repo.write("local/one.key", "1")
    repo.write("local/two.txt", "2")
    there = inside(opened(repo))
    assert (there.read("cache/a"), there.read("cache/deep/b")) == (b"a", b"b")
    assert there.place("local/one.key").exists()
    assert not there.place("local/two.txt").exists()
    assert there.git("status", "--porcelain") == b""


def test_untracked_files_come_by_carry_alone(repo: Repo) -> None:
    repo.write(".worktreeinclude", "*.txt\n")
    repo.commit()
    repo.write("note.txt", "untracked, not ignored")
    there = inside(opened(repo, carry=Carry.TRACKED))
    assert not there.place("note.txt").exists()


def test_names_of_any_bytes(repo: Repo) -> None:
    repo.write(".worktreeinclude", "build\n*.log\n")
    for path in (b"build/\xff\n x", b"a\tb.log", b"[x] *.log"):
        repo.write(path, "odd")
    workspace = opened(repo)
    for path in (b"build/\xff\n x", b"a\tb.log", b"[x] *.log"):
        assert inside(workspace).read(path) == b"odd"
    assert list_ignored(workspace).count == 0


def test_never_by_a_link_out_of_either_tree(repo: Repo, tmp_path: Path) -> None:
    repo.write("elsewhere/plain", "x")
    repo.link("linked", "elsewhere")
    repo.write(".worktreeinclude", "linked/\nelsewhere/*.log\n.venv\n")
    repo.commit("with a link")
    repo.place("linked").unlink()
    repo.write("linked/secret.log", "must not be written through the link")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("x")
    repo.link(".venv", os.fspath(tmp_path / "outside"))
    there = inside(opened(repo, carry=Carry.NONE))
    assert there.place("linked").is_symlink()
    assert not there.place("elsewhere/secret.log").exists()
    assert not there.place(".venv").exists() or there.place(".venv").is_symlink()


def test_links_into_the_user_s_tree_are_told(repo: Repo) -> None:
    repo.link("node_modules/mine", os.fspath(repo.place("src")))
    notes = notes_of(repo)
    assert notes == ["the copied link node_modules/mine leads into your own tree"]


def test_other_workspaces_are_never_copied(repo: Repo) -> None:
    repo.write(".worktreeinclude", "*\n")
    opened(repo, "first")
    there = inside(opened(repo, "second"))
    assert there.place("other.log").exists()
    assert not there.place(".worktrees").exists()


def test_working_trees_of_others_are_left_out(repo: Repo) -> None:
    repo.write("node_modules/tree/.git", "gitdir: elsewhere\n")
    repo.write("node_modules/tree/file", "x")
    notes = notes_of(repo)
    (note,) = notes
    assert note.startswith(".worktreeinclude names node_modules/tree, which")
    assert note.endswith(": it is a working tree of another repository")
    assert not (repo.top / ".worktrees" / JOB / "node_modules/tree").exists()


def test_what_is_neither_file_nor_link_is_named(repo: Repo) -> None:
    os.mkfifo(repo.place("node_modules/pipe"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(repo.place("node_modules/s")))
        notes = notes_of(repo)
    assert sorted(note.split(",")[0] for note in notes) == [
        ".worktreeinclude names node_modules/pipe",
        ".worktreeinclude names node_modules/s",
    ]


def test_a_file_that_can_not_be_read_is_named(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = os.open

    def refusing(path: Any, flags: int, *args: Any, **how: Any) -> int:
        if path == b".env" and not flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied", path)
        return opening(path, flags, *args, **how)

    monkeypatch.setattr(os, "open", refusing)
    notes = notes_of(repo)
    assert notes == [
        ".worktreeinclude names .env, which the workspace does not have: Permission denied"
    ]


def test_a_file_that_changes_is_copied_anew(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = iter(("SECRET=22\n",))

    def meddling(source: int, target: int, size: int) -> bool:
        done = copy_bytes(source, target, size)
        if size == len("SECRET=1\n"):
            for text in writes:
                repo.write(".env", text)
        return done

    monkeypatch.setattr(trees, "copy_bytes", meddling)
    assert notes_of(repo) == []
    assert (repo.top / ".worktrees" / JOB / ".env").read_bytes() == b"SECRET=22\n"


def test_a_file_that_changes_all_the_time_is_left_out(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:

    def meddling(source: int, target: int, size: int) -> bool:
        with repo.place(".env").open("a") as file:
            file.write("more\n")
        return copy_bytes(source, target, size)

    repo.write(".worktreeinclude", ".env\n")
    monkeypatch.setattr(trees, "copy_bytes", meddling)
    (note,) = notes_of(repo)
    assert note.endswith(": it changes all the time")
    assert not (repo.top / ".worktrees" / JOB / ".env").exists()


@pytest.mark.parametrize("version", ["2", "4"])
def test_several_processes_and_any_index(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(trees, "SHARE", 4)
    configure("index.version", version)
    for number in range(40):
        repo.write(f"node_modules/p{number}/lib/index.js", f"{number}\n")
        repo.write(f"node_modules/p{number}/package.json", "{}\n")
    workspace = opened(repo)
    there = inside(workspace)
    for number in range(40):
        assert there.read(f"node_modules/p{number}/lib/index.js") == b"%d\n" % number
    assert len(included.included_paths(workspace)) == 84
    assert list_ignored(workspace).count == 0
    assert result_of(repo, workspace) == set()


def test_another_number_of_the_device_is_no_change(repo: Repo) -> None:
    workspace = opened(repo)
    known = included.included_paths(workspace)
    included.write_included_index(
        workspace, [(path, (*seen[:4], seen[4] + 1, *seen[5:])) for path, seen in known.items()]
    )
    assert list_ignored(workspace).count == 0


def test_without_room_nothing_stays(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trees, "copy_bytes", full)
    with pytest.raises(CannotStart, match="No space left on device"):
        notes_of(repo)
    assert not (repo.top / ".worktrees").exists() or not [*(repo.top / ".worktrees").glob("[!.]*")]


def test_rules_that_are_no_file_are_told(repo: Repo, tmp_path: Path) -> None:
    repo.place(".worktreeinclude").unlink()
    repo.link(".worktreeinclude", os.fspath(tmp_path / "rules"))
    assert notes_of(repo) == [".worktreeinclude is not a file; nothing was copied for it"]
