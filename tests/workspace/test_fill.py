"""A workspace that was filled with copies is what git would have checked out, and knows its files."""

from __future__ import annotations

import itertools
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.model import Carry, JobId
from sideshoot.workspace import copying, fill
from sideshoot.workspace.base import make_base
from sideshoot.workspace.capture import capture
from sideshoot.workspace.opening import Workspace, open_workspace, plan_workspace
from support.hostile import configure
from support.repos import FILES, SYMLINK, Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.repos import Tree

    Index = list[tuple[bytes, int, str, str, str]]

pytestmark = pytest.mark.usefixtures("_always")


@pytest.fixture
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy however few files there are, by one process."""
    monkeypatch.setattr(fill, "WORTHWHILE", 0)


@pytest.fixture
def by_git(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workspace]:
    """Opens a workspace that git checks out."""

    def opened_by_git(repo: Repo, job: str = "twin", **how: str | Carry) -> Workspace:
        with monkeypatch.context() as patch:
            patch.setattr(fill, "WORTHWHILE", 1_000_000)
            return opened(repo, job, **how)

    return opened_by_git


def opened(repo: Repo, job: str = "k3f9", **how: str | Carry) -> Workspace:
    repository = discover(repo.top)
    base = make_base(repository, JobId(job), **how)  # type: ignore[arg-type]
    workspace = plan_workspace(repository, JobId(job), base)
    open_workspace(repository, workspace, base)
    return workspace


_HOURS = itertools.count(1)


def settle(repo: Repo) -> Repo:
    """Let the files be older than the index, as they are in the tree of somebody who works."""
    # Each time by another hour: many a git sees no difference within a second.
    long_ago = time.time_ns() - next(_HOURS) * 3600 * 1_000_000_000
    for number, path in enumerate(repo.tree()):
        when = long_ago + number * 1_000_001
        os.utime(repo.place(path), ns=(when, when), follow_symlinks=False)
    repo.git("update-index", "-q", "--refresh", accept=(0, 1))
    return repo


def copied(repo: Repo, workspace: Workspace) -> set[bytes]:
    """The paths that were copied and not checked out: those have the time of the checkout."""
    tree = Repo(workspace.path).tree()
    return {
        path for path in tree if repo.exists(path) and _time(repo, path) == _time(workspace, path)
    }


def _time(where: Repo | Workspace, path: bytes) -> int:
    top = where.top if isinstance(where, Repo) else where.path
    return os.lstat(os.fsencode(top) + b"/" + path).st_mtime_ns


def facts(workspace: Workspace) -> tuple[Tree, Index, Index, bytes]:
    """The files, both indexes, and what git says of them."""
    seen = Repo(workspace.path)
    # The file of a submodule says where its repository is, another place for each workspace.
    tree = {path: found for path, found in seen.tree().items() if not path.endswith(b"/.git")}
    return tree, seen.index(), private(workspace), seen.status()


def private(workspace: Workspace) -> Index:
    seen = Repo(workspace.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repo, "git", _with_index(seen, workspace.private_index))
        return seen.index()


def _with_index(repo: Repo, index: Path) -> Callable[..., bytes]:
    plain = Repo.git
    return lambda _, *argv: plain(repo, *argv, env={"GIT_INDEX_FILE": str(index)})


def assert_like(workspace: Workspace, twin: Workspace) -> None:
    assert facts(workspace) == facts(twin)
    assert_known(workspace)


def assert_known(workspace: Workspace) -> None:
    """The private index is one that git accepts, has the base, and knows each file to be clean."""
    git = workspace.repository.git.with_index(workspace.private_index)
    assert git.text("write-tree") == workspace.repository.tree_of(workspace.base)
    # Without reading a file: `--refresh` of a copy has nothing to bring up to date.
    assert git.run("diff-files", "--raw", "--ignore-submodules=all").stdout == b""
    problems = git.run("fsck", "--no-dangling", "--no-reflogs", "--connectivity-only").stderr
    assert b"error" not in problems, problems


# -- what is like in both ways


def plain(repo: Repo) -> None:
    settle(repo)


def dirty(repo: Repo) -> None:
    settle(repo)
    repo.write("app.py", "staged = 1\n")
    repo.git("add", "app.py")
    repo.write("app.py", "staged = 1\nunstaged = 2\n")
    repo.write("src/beds.py", "BEDS = []\n")
    repo.remove("docs/guide.txt")
    repo.write("fresh/new.py", "new = True\n", mode=0o755)
    repo.git("add", "fresh/new.py")
    repo.write("unknown.txt", "not staged\n")
    repo.write("debug.log", "ignored\n")


def modes_and_links(repo: Repo) -> None:
    repo.write("bin/tool", "#!/bin/sh\n", mode=0o755)
    repo.write("private", "600\n", mode=0o600)
    repo.link("way", "src/beds.py")
    repo.link("nowhere", "/no/such/place")
    repo.link("bin/folder", "../src")
    repo.write("empty", "")
    repo.commit()
    settle(repo)


def odd_names(repo: Repo) -> None:
    for name in (b"odd \xff\nname", b"-dash", b"a/ b/c\t", "häuser/straße".encode(), b"x" * 250):
        repo.write(name, name)
    repo.write(b"/".join([b"deep" * 20] * 30) + b"/file", "a path of more than 4095 bytes?")
    repo.write("a.b/x", "1")
    repo.write("a/x", "2")
    repo.write("a-b", "3")
    repo.commit()
    settle(repo)


def kinds_turn(repo: Repo) -> None:
    settle(repo)
    repo.remove("src")
    repo.write("src", "a file now\n")
    repo.remove("README.md")
    repo.write("README.md/inside", "a folder now\n")
    repo.remove("app.py")
    repo.link("app.py", "docs/guide.txt")


def a_link_above(repo: Repo) -> None:
    settle(repo)
    repo.place("src").rename(repo.top.parent / "moved")
    repo.link("src", repo.top.parent.as_posix() + "/moved")


def hidden(repo: Repo) -> None:
    settle(repo)
    repo.git("update-index", "--assume-unchanged", "app.py")
    repo.git("update-index", "--skip-worktree", "README.md", "docs/guide.txt")
    repo.remove("docs/guide.txt")


def hidden_and_edited(repo: Repo) -> None:
    hidden(repo)
    repo.write("app.py", "edited = 'without git looking'\n")
    repo.write("README.md", "edited, too\n")


def intent_to_add(repo: Repo) -> None:
    settle(repo)
    repo.write("planned.txt", "planned\n")
    repo.git("add", "--intent-to-add", "planned.txt")


def unmerged(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("app.py", "theirs\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("app.py", "ours\n")
    repo.commit()
    repo.git("merge", "other", accept=(1,))
    settle(repo)


def sparse(repo: Repo) -> None:
    settle(repo)
    repo.git("sparse-checkout", "set", "src")


def sparse_with_more(repo: Repo) -> None:
    sparse(repo)
    repo.write("docs/guide.txt", "outside of the cone, and there\n")


def once_sparse(repo: Repo) -> None:
    sparse(repo)
    repo.git("sparse-checkout", "disable")
    settle(repo)


def submodule(repo: Repo) -> None:
    module = Repo.create(repo.top.parent / "module", {"file": "in the module\n"})
    repo.git("submodule", "--quiet", "add", str(module.top), "module")
    repo.commit()
    settle(repo)


def check_out_anew(repo: Repo) -> None:
    for path in repo.tree():
        repo.remove(path)
    repo.git("checkout", "--", ".")
    settle(repo)


def endings(repo: Repo) -> None:
    repo.write(".gitattributes", "*.txt text eol=crlf\n*.utf working-tree-encoding=UTF-16\n")
    repo.write("lines.txt", "one\r\ntwo\r\n")
    repo.write("wide.utf", "wide\n".encode("utf-16"))
    repo.commit()
    check_out_anew(repo)


def autocrlf(repo: Repo) -> None:
    configure("core.autocrlf", "true")
    repo.write("lines.txt", "one\r\ntwo\r\n")
    repo.commit()
    check_out_anew(repo)


def smudged(repo: Repo) -> None:
    configure("filter.shift.clean", "tr a-z b-za")
    configure("filter.shift.smudge", "tr b-za a-z")
    repo.write(".gitattributes", "*.big filter=shift\n*.id ident\n")
    repo.write("model.big", "contents that are stored otherwise\n")
    repo.write("version.id", "$Id$\n")
    repo.commit()
    check_out_anew(repo)


def attributes_edited(repo: Repo) -> None:
    repo.write("lines.txt", "one\ntwo\n")
    repo.commit()
    settle(repo)
    repo.write(".gitattributes", "*.txt text eol=crlf\n")


def attributes_ignored(repo: Repo) -> None:
    repo.write(".gitignore", "docs/.gitattributes\n")
    repo.commit()
    settle(repo)
    repo.write("docs/.gitattributes", "*.txt text eol=crlf\n")


def no_modes(repo: Repo) -> None:
    repo.git("config", "core.fileMode", "false")
    repo.write("tool", "#!/bin/sh\n")
    repo.commit()
    repo.git("update-index", "--chmod=+x", "tool")
    repo.commit()
    settle(repo)


def no_links(repo: Repo) -> None:
    repo.link("way", "src/beds.py")
    repo.commit()
    repo.git("config", "core.symlinks", "false")
    repo.remove("way")
    repo.write("way", "src/beds.py")
    settle(repo)


def racy(repo: Repo) -> None:
    settle(repo)
    repo.write("app.py", "first\n")
    repo.git("add", "app.py")
    now = repo.place(".git/index").stat().st_mtime_ns
    repo.write("app.py", "other\n")  # As long as what was staged, and as old.
    os.utime(repo.place("app.py"), ns=(now, now))


def split(repo: Repo) -> None:
    settle(repo)
    repo.git("update-index", "--split-index")
    repo.write("app.py", "changed\n")
    repo.git("add", "app.py")


def version_4(repo: Repo) -> None:
    settle(repo)
    repo.git("update-index", "--index-version", "4")


def extensions(repo: Repo) -> None:
    repo.git("config", "core.untrackedCache", "true")
    repo.git("config", "index.threads", "4")
    repo.git("config", "index.recordEndOfIndexEntries", "true")
    settle(repo)
    repo.git("status")
    repo.git("update-index", "--untracked-cache", "--force-untracked-cache")


def refreshed_by_another(repo: Repo) -> None:
    settle(repo)
    for path in repo.tree():  # All is stale: as in a copy of a repository.
        os.utime(repo.place(path), follow_symlinks=False)


STATES = (
    plain, dirty, modes_and_links, odd_names, kinds_turn, a_link_above, hidden, hidden_and_edited,
    intent_to_add, unmerged, sparse, sparse_with_more, once_sparse, submodule, endings, autocrlf,
    smudged, attributes_edited, attributes_ignored, no_modes, no_links, racy, split, version_4,
    extensions, refreshed_by_another,
)  # fmt: skip


@pytest.mark.parametrize("carry", Carry, ids=str)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_is_what_git_would_check_out(
    repo: Repo,
    by_git: Callable[..., Workspace],
    state: Callable[[Repo], None],
    carry: Carry,
) -> None:
    state(repo)
    before = repo.fingerprint()
    workspace = opened(repo, carry=carry)
    assert repo.fingerprint() == before
    assert_like(workspace, by_git(repo, carry=carry))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_is_what_git_would_check_out_of_an_older_commit(
    repo: Repo, by_git: Callable[..., Workspace], state: Callable[[Repo], None]
) -> None:
    repo.git("tag", "old")
    repo.write("src/beds.py", "BEDS = ['east']\n")
    repo.write("later/file", "not there at first\n")
    repo.commit()
    state(repo)
    assert_like(opened(repo, revision="old"), by_git(repo, revision="old"))


def test_serves_repositories_with_sha256(tmp_path: Path, by_git: Callable[..., Workspace]) -> None:
    repo = Repo.create(tmp_path / "wide", options=["--object-format=sha256"])
    modes_and_links(repo)
    workspace = opened(repo)
    assert_like(workspace, by_git(repo))
    assert copied(repo, workspace) == set(repo.tree())


def test_serves_linked_worktrees(repo: Repo, by_git: Callable[..., Workspace]) -> None:
    settle(repo)
    repo.git("worktree", "add", "-q", str(repo.top.parent / "linked"))
    linked = settle(Repo(repo.top.parent / "linked"))
    workspace = opened(linked)
    assert_like(workspace, by_git(linked))
    assert copied(linked, workspace) == set(linked.tree())


# -- what is copied, and how


def test_copies_all_that_is_clean(repo: Repo) -> None:
    modes_and_links(repo)
    assert copied(repo, opened(repo)) == set(repo.tree())


def test_copies_the_clean_files_of_a_dirty_tree(repo: Repo) -> None:
    dirty(repo)
    found = copied(repo, opened(repo))
    # What was staged just now is copied or not: it may be as young as the index.
    assert found - {b"fresh/new.py"} == {b"README.md", b".gitignore", b"src/tools/rake.py"}


def test_copies_what_a_filter_made_and_runs_none(repo: Repo) -> None:
    smudged(repo)
    configure("filter.shift.smudge", "false")
    configure("filter.shift.required", "true")
    workspace = opened(repo)
    assert (workspace.path / "model.big").read_bytes() == repo.read("model.big")
    assert b"$Id: " in (workspace.path / "version.id").read_bytes()


def test_copies_the_users_bytes_where_git_knows_other_ways_to_write_them(repo: Repo) -> None:
    configure("core.autocrlf", "true")
    repo.write("lines.txt", "a checkout\nwould end these lines with CR\n")
    repo.commit()
    settle(repo)
    workspace = opened(repo)
    assert (workspace.path / "lines.txt").read_bytes() == repo.read("lines.txt")
    assert Repo(workspace.path).status() == b""
    assert_known(workspace)


@pytest.mark.parametrize(
    "state", [attributes_edited, attributes_ignored], ids=["edited", "ignored"]
)
def test_copies_nothing_if_the_users_attributes_are_not_the_bases(
    repo: Repo, state: Callable[[Repo], None]
) -> None:
    state(repo)
    assert copied(repo, opened(repo)) == set()


def test_copies_share_nothing_with_the_users_files(repo: Repo) -> None:
    os.link(repo.place("app.py"), repo.top.parent / "second name of it")
    settle(repo)
    workspace = opened(repo)
    assert b"app.py" in copied(repo, workspace)
    for path in repo.tree():
        found = os.lstat(os.fsencode(workspace.path) + b"/" + path)
        assert found.st_nlink == 1
        assert found.st_ino != os.lstat(repo.place(path)).st_ino
    (workspace.path / "app.py").write_text("the agent's\n")
    assert repo.read("app.py").decode() == FILES["app.py"]


def test_modes_are_those_that_git_would_give(repo: Repo, by_git: Callable[..., Workspace]) -> None:
    modes_and_links(repo)
    before = os.umask(0o027)
    try:
        workspace, twin = opened(repo), by_git(repo)
    finally:
        os.umask(before)
    assert Repo(workspace.path).tree() == Repo(twin.path).tree()
    assert stat.S_IMODE((workspace.path / "bin").stat().st_mode) == 0o750


def test_files_that_fail_while_they_are_read_are_gits(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, by_git: Callable[..., Workspace]
) -> None:
    settle(repo)

    def fail_once(source: int, target: int, size: int) -> int:
        monkeypatch.setattr(copying, "_copy_some", plain_copy)
        os.write(target, b"half of")
        raise OSError(5, "Input/output error")

    plain_copy = copying._copy_some
    monkeypatch.setattr(copying, "_copy_some", fail_once)
    workspace = opened(repo)
    assert len(copied(repo, workspace)) == len(FILES) - 1
    assert_like(workspace, by_git(repo))


@pytest.mark.parametrize("how", ["written", "replaced", "cut", "gone"])
def test_an_edit_meanwhile_is_not_half_in_the_workspace(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settle(repo)

    def edit_then_copy(source: int, target: int, size: int) -> int:
        if os.fstat(source).st_ino == watched:
            edit(repo, how)
        return plain_copy(source, target, size)

    plain_copy = copying._copy_some
    watched = repo.place("app.py").stat().st_ino
    monkeypatch.setattr(copying, "_copy_some", edit_then_copy)
    workspace = opened(repo)
    assert (workspace.path / "app.py").read_text() == FILES["app.py"]
    assert_known(workspace)


def edit(repo: Repo, how: str) -> None:
    place = repo.place("app.py")
    if how == "written":
        with place.open("r+b") as file:
            file.write(b"LINE")
    elif how == "replaced":
        beside = place.with_name("app.py.new")
        beside.write_text("replaced\n")
        beside.replace(place)
    elif how == "cut":
        os.truncate(place, 7)
    else:
        place.unlink(missing_ok=True)


@pytest.mark.parametrize("engine", ["_copy_in_kernel", "_copy_through_memory"])
def test_large_files_are_copied_whole(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    if engine == "_copy_in_kernel" and not hasattr(os, "copy_file_range"):
        pytest.skip("this system has no copy_file_range")
    monkeypatch.setattr(copying, "_copy_some", getattr(copying, engine))
    repo.write("large", os.urandom(3_000_001))
    repo.commit()
    settle(repo)
    workspace = opened(repo)
    assert b"large" in copied(repo, workspace)
    assert (workspace.path / "large").read_bytes() == repo.read("large")


@pytest.fixture
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have three processes copy, of which the one that the test can see takes a single part."""
    monkeypatch.setattr(fill, "SHARE", 1)
    monkeypatch.setattr(fill, "PART", 10)
    monkeypatch.setattr(fill, "_processors", lambda: 3)
    take = copying.parts
    monkeypatch.setattr(copying, "parts", lambda pipe: itertools.islice(take(pipe), 1))


@pytest.mark.usefixtures("_shared")
def test_several_processes_share_the_work(repo: Repo, by_git: Callable[..., Workspace]) -> None:
    make_many(repo)
    repo.write("file 7", "dirty\n")
    repo.write("folder 1/file 8", "dirty, too\n")
    workspace = opened(repo)
    assert len(copied(repo, workspace)) == len(repo.tree()) - 2
    assert_like(workspace, by_git(repo))


@pytest.mark.usefixtures("_shared")
def test_attributes_that_another_process_met_count(
    repo: Repo, by_git: Callable[..., Workspace]
) -> None:
    make_many(repo)
    repo.write(".gitignore", "folder 0/.gitattributes\n")
    repo.commit()
    settle(repo)
    repo.write("folder 0/.gitattributes", "file* text eol=crlf\n")
    workspace = opened(repo)
    assert copied(repo, workspace) == set()
    assert_like(workspace, by_git(repo))


def test_a_process_that_fails_leaves_the_work_to_git(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, by_git: Callable[..., Workspace]
) -> None:
    make_many(repo)
    monkeypatch.setattr(fill, "SHARE", 1)
    monkeypatch.setattr(fill, "_processors", lambda: 2)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    workspace = opened(repo)
    assert copied(repo, workspace) == set()
    assert_like(workspace, by_git(repo))


@pytest.mark.parametrize("count", [1, 249, 250, 251, 1_000_000])
def test_every_file_is_in_one_part_and_there_are_not_many(tmp_path: Path, count: int) -> None:
    entries = [*range(12, 12 + 72 * count, 72), 12 + 72 * count]
    parts = fill._parts(fill._Index(tmp_path, 0, 20, entries))
    assert [start for start, _ in parts] == [12, *(stop for _, stop in parts[:-1])]
    assert parts[-1][1] == entries[-1]
    assert len(parts) <= 250


def make_many(repo: Repo) -> None:
    for number in range(60):
        repo.write(f"folder {number % 7}/file {number}", f"{number}\n")
        repo.write(f"file {number}", f"{number}\n")
    repo.commit()
    settle(repo)


def test_small_repositories_are_gits(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(repo)
    monkeypatch.setattr(fill, "WORTHWHILE", len(FILES) + 1)
    assert copied(repo, opened(repo)) == set()


def test_large_repositories_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    files = {f"{number % 30}/{number}": f"{number}\n" for number in range(2 * fill.SHARE)}
    repo = settle(Repo.create(tmp_path / "large", files))
    assert copied(repo, opened(repo)) == set(repo.tree())


# -- what comes of it


def test_what_an_agent_does_to_copies_is_captured(repo: Repo) -> None:
    modes_and_links(repo)
    repo.write(".gitattributes", "docs/* text eol=crlf\n")
    repo.commit()
    settle(repo)
    workspace = opened(repo)
    agents = Repo(workspace.path)
    same_length = FILES["app.py"].replace("line_1 ", "LINE_1 ")
    agents.write("app.py", same_length)
    agents.chmod("bin/tool", 0o644)
    agents.remove("way")
    agents.link("way", "app.py")
    agents.remove("empty")
    captured = capture(discover(repo.top), workspace)
    tree = repo.committed(captured.tree)
    assert tree[b"app.py"] == (0o100644, same_length.encode())
    assert tree[b"bin/tool"][0] == 0o100644
    assert tree[b"way"] == (SYMLINK, b"app.py")
    expected = {path: tree[path] for path in repo.committed("HEAD") if path != b"empty"}
    assert tree == expected


def test_what_was_hidden_from_the_users_git_is_not_hidden_from_ours(repo: Repo) -> None:
    hidden(repo)
    workspace = opened(repo)
    Repo(workspace.path).write("app.py", "the agent's\n")
    Repo(workspace.path).write("README.md", "the agent's, too\n")
    tree = repo.committed(capture(discover(repo.top), workspace).tree)
    assert tree[b"app.py"] == (0o100644, b"the agent's\n")
    assert tree[b"README.md"] == (0o100644, b"the agent's, too\n")
