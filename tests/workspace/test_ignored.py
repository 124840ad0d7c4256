"""What an agent leaves that git ignores is named, and brought as it is when asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sideshoot.errors import KeepRefused, UsageError
from sideshoot.workspace.ignored import bring_ignored, list_ignored
from support.hostile import configure
from support.repos import Repo
from support.workspaces import inside, opened


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def test_nothing_is_ignored_at_the_beginning(repo: Repo) -> None:
    repo.write("mine.log", "the user's own\n")
    repo.write("build/out", "the user's own\n")
    found = list_ignored(opened(repo))
    assert (found.count, found.paths) == (0, ())


def test_names_files_and_whole_folders(repo: Repo) -> None:
    workspace = opened(repo)
    for path in ("debug.log", "build/a/b", "build/c", "src/deep.log", b"odd \xff\n.log"):
        inside(workspace).write(path, "x")
    inside(workspace).write("plain.txt", "not ignored")
    found = list_ignored(workspace)
    assert found.paths == (b"build/", b"debug.log", b"odd \xff\n.log", b"src/deep.log")
    assert found.count == 4


def test_follows_new_rules_and_global_ones(repo: Repo, home: Path) -> None:
    (home / "excludes").write_text("*.swp\n")
    configure("core.excludesFile", str(home / "excludes"))
    configure("status.showUntrackedFiles", "no")
    workspace = opened(repo)
    inside(workspace).write("nested/.gitignore", "*\n")
    inside(workspace).write("nested/deep/x", "x")
    inside(workspace).write("a.swp", "x")
    inside(workspace).write("partly/.gitignore", "*\n!keep\n")
    inside(workspace).write("partly/x", "x")
    inside(workspace).write("partly/keep", "x")
    assert list_ignored(workspace).paths == (
        b"a.swp",
        b"nested/",
        b"partly/.gitignore",
        b"partly/x",
    )


def test_what_the_user_had_is_not_new(repo: Repo) -> None:
    repo.write("notes.txt", "untracked, and carried\n")
    workspace = opened(repo)
    inside(workspace).write(".gitignore", "*.txt\n")
    assert list_ignored(workspace).paths == ()


def test_what_the_result_has_is_not_named(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).write("forced.log", "x")
    assert list_ignored(workspace, saved={b"forced.log"}).count == 0


def test_names_only_so_many(repo: Repo) -> None:
    workspace = opened(repo)
    for number in range(30):
        inside(workspace).write(f"{number:02}.log", "x")
    found = list_ignored(workspace, limit=3)
    assert found.count == 30
    assert found.paths == (b"00.log", b"01.log", b"02.log")


def test_does_not_trust_the_agents_index(repo: Repo) -> None:
    workspace = opened(repo)
    inside(workspace).write("debug.log", "x")
    (workspace.git_dir / "index").write_bytes(b"garbage")
    assert list_ignored(workspace).paths == (b"debug.log",)


def test_brings_files_as_they_are(repo: Repo, copies: Path) -> None:
    workspace = opened(repo)
    inside(workspace).write("secret.log", b"\0\r\n\xff", mode=0o600)
    inside(workspace).write("build/bin/tool", "#!/bin/sh\n", mode=0o755)
    inside(workspace).link("build/latest", "bin/tool")
    (workspace.path / "build" / "empty").mkdir()
    inside(workspace).write("build/.git/config", "a repository in there\n")
    found = bring_ignored(workspace, [b"secret.log", b"build/", b"build"], copies)
    assert set(found) == {b"secret.log", b"build"}
    secret, build = Path(os.fsdecode(found[b"secret.log"])), Path(os.fsdecode(found[b"build"]))
    assert secret.read_bytes() == b"\0\r\n\xff"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert Repo(build).tree().keys() == {b"bin/tool", b"latest"}
    assert os.access(build / "bin" / "tool", os.X_OK)
    assert (build / "latest").readlink() == Path("bin/tool")
    assert (build / "empty").is_dir()
    assert (build / ".git" / "config").exists()


@pytest.mark.parametrize(
    "path", [b"missing.log", b"../escape", b"/etc/passwd", b"", b".git", b"way/x.log", b"app.py/x"]
)
def test_brings_nothing_from_elsewhere(repo: Repo, copies: Path, path: bytes) -> None:
    workspace = opened(repo)
    (repo.top.parent / "outside").mkdir()
    (repo.top.parent / "outside" / "x.log").write_text("not the agent's\n")
    inside(workspace).link("way", str(repo.top.parent / "outside"))
    with pytest.raises(UsageError):
        bring_ignored(workspace, [path], copies)
    assert list(copies.iterdir()) == []


def test_what_is_not_ignored_comes_by_keep(repo: Repo, copies: Path) -> None:
    workspace = opened(repo)
    inside(workspace).write("plain.txt", "x")
    for path in (b"plain.txt", b"app.py"):
        with pytest.raises(UsageError, match="is not ignored"):
            bring_ignored(workspace, [path], copies)


def test_a_name_like_a_pattern_means_itself(repo: Repo, copies: Path) -> None:
    workspace = opened(repo)
    inside(workspace).write("a.log", "x")
    with pytest.raises(UsageError, match=r"has no \*\.log"):
        bring_ignored(workspace, [b"*.log"], copies)


def test_says_what_cannot_be_copied(repo: Repo, copies: Path) -> None:
    workspace = opened(repo)
    (workspace.path / "build").mkdir()
    os.mkfifo(workspace.path / "build" / "pipe")
    with pytest.raises(KeepRefused, match=r"can't copy .*build/pipe: .*nothing was written"):
        bring_ignored(workspace, [b"build"], copies)
