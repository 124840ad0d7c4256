"""A repository that an agent makes inside its workspace is held whole, and nothing of it is run."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from sideshoot.errors import CaptureFailed
from sideshoot.git import discover
from sideshoot.workspace.archive import bring_folder, store_folder
from sideshoot.workspace.inner import Inner, bring_inner, save_inner
from support.repos import Repo
from support.workspaces import JOB, inside, opened


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    (tmp_path / "ready").mkdir()
    return tmp_path / "ready"


def everything(top: Path) -> dict[bytes, tuple[int, bytes]]:
    """All that lies below a folder: modes (and the kind), contents, and targets of links."""
    found = {}
    for path in [top, *top.rglob("*")]:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            content = os.fsencode(path.readlink())
        else:
            content = path.read_bytes() if stat.S_ISREG(mode) else b""
        found[os.fsencode(path.relative_to(top))] = (mode, content)
    return found


def make_nested(place: Path, *, commits: bool = True) -> Repo:
    nested = Repo.create(place, None if commits else {})
    nested.write("loose.txt", "not committed\n")
    nested.write(b'odd \xff\n"name', b"\0\r\n")
    nested.write("secret", "x", mode=0o600)
    nested.write("run", "#!/bin/sh\n", mode=0o755)
    nested.write(".gitattributes", "* text eol=crlf\n")
    nested.write("%percent/.GIT", "x")
    nested.link("link", "loose.txt")
    nested.link("broken", b"/nowhere/\xff")
    (place / "empty" / "deeper").mkdir(parents=True)
    (place / "closed").mkdir(mode=0o700)
    return nested


@pytest.mark.parametrize("commits", [True, False])
def test_comes_back_byte_for_byte(repo: Repo, ready: Path, commits: bool) -> None:
    workspace = opened(repo)
    nested = make_nested(workspace.path / "new" / "lib", commits=commits)
    before = everything(nested.top)
    before_status, user = nested.status(), repo.fingerprint()

    (inner,) = save_inner(discover(repo.top), workspace, [b"new/lib/"])
    shutil.rmtree(workspace.path)
    places = bring_inner(discover(repo.top), [Inner.of(inner.record())], ready)

    assert list(places) == [b"new/lib"]
    brought = Path(os.fsdecode(places[b"new/lib"]))
    assert everything(brought) == before
    assert Repo(brought).status() == before_status
    assert repo.fingerprint() == user


def test_is_under_a_ref_and_can_be_saved_again(repo: Repo) -> None:
    workspace = opened(repo)
    make_nested(workspace.path / "lib")
    (first,) = save_inner(discover(repo.top), workspace, [b"lib"])
    (again,) = save_inner(discover(repo.top), workspace, [b"lib"])
    assert first == again
    assert repo.our_refs()[f"refs/sideshoot/{JOB}/inner/0"] == first.commit
    (workspace.path / "lib" / "loose.txt").write_text("changed\n")
    (changed,) = save_inner(discover(repo.top), workspace, [b"lib"])
    assert changed.commit != first.commit
    assert b"missing" not in repo.git("fsck", "--full")


def test_runs_nothing_that_it_names(repo: Repo, tmp_path: Path) -> None:
    workspace = opened(repo)
    nested = make_nested(workspace.path / "lib")
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "core.sshCommand"):
        nested.git("config", key, str(program))
    nested.write(".gitattributes", "* filter=evil\n")
    for hook in ("post-index-change", "reference-transaction"):
        (nested.git_dir / "hooks" / hook).symlink_to(program)
    save_inner(discover(repo.top), workspace, [b"lib"])
    assert not (tmp_path / "ran").exists()


def test_holds_repositories_inside_of_repositories(repo: Repo, ready: Path) -> None:
    workspace = opened(repo)
    make_nested(workspace.path / "outer")
    make_nested(workspace.path / "outer" / "deep" / "inner")
    before = everything(workspace.path / "outer")
    inner = save_inner(discover(repo.top), workspace, [b"outer"])
    places = bring_inner(discover(repo.top), inner, ready)
    assert everything(Path(os.fsdecode(places[b"outer"]))) == before


def test_a_repository_at_the_top_is_held_but_not_believed(repo: Repo) -> None:
    workspace = opened(repo)
    (workspace.path / ".git").unlink()
    own = inside(workspace)
    own.git("init", "-q", "-b", "main")
    own.write("app.py", "by the agent\n")
    commit = own.commit("in a repository of its own")
    (inner,) = save_inner(discover(repo.top), workspace, [])
    assert (inner.path, inner.kind) == (b"", "top")
    assert "began a repository of its own" in inner.warnings[0]
    assert workspace.repository.head() == repo.head()
    # The whole history is there.
    target = repo.top.parent / "brought"
    bring_folder(discover(repo.top), f"{inner.commit}^{{tree}}", os.fsencode(target))
    assert Repo(target).git("show", f"{commit}:app.py") == b"by the agent\n"


def test_a_repository_at_the_top_is_not_brought(repo: Repo, ready: Path) -> None:
    workspace = opened(repo)
    (workspace.path / ".git").unlink()
    inside(workspace).git("init", "-q")
    inner = save_inner(discover(repo.top), workspace, [])
    assert bring_inner(discover(repo.top), inner, ready) == {}


def test_a_submodule_that_the_agent_added_becomes_whole(
    repo: Repo, ready: Path, tmp_path: Path
) -> None:
    library = Repo.create(tmp_path / "library")
    workspace = opened(repo)
    inside(workspace).git("submodule", "add", "-q", str(library.top), "lib")
    submodule = Repo(workspace.path / "lib")
    submodule.write("app.py", "by the agent\n")
    commit = submodule.commit("by the agent")
    (inner,) = save_inner(discover(repo.top), workspace, [b"lib"])
    assert inner.kind == "module"
    shutil.rmtree(workspace.git_dir)
    shutil.rmtree(workspace.path)
    places = bring_inner(discover(repo.top), [Inner.of(inner.record())], ready)
    brought = Repo(Path(os.fsdecode(places[b"lib"])))
    assert brought.head() == commit
    assert brought.status() == b""


def test_a_git_file_that_leads_elsewhere_is_not_followed(repo: Repo, ready: Path) -> None:
    other = Repo.create(repo.top.parent / "other")
    other.write(".git/secret", "the user's\n")
    workspace = opened(repo)
    (workspace.path / "lib").mkdir()
    (workspace.path / "lib" / ".git").write_text(f"gitdir: {other.top}/.git\n")
    (workspace.path / "lib" / "file").write_text("x")
    inner = save_inner(discover(repo.top), workspace, [b"lib"])
    places = bring_inner(discover(repo.top), inner, ready)
    assert everything(Path(os.fsdecode(places[b"lib"]))) == everything(workspace.path / "lib")


def test_says_what_git_cannot_hold(repo: Repo) -> None:
    workspace = opened(repo)
    make_nested(workspace.path / "lib")
    os.mkfifo(workspace.path / "lib" / "pipe")
    (inner,) = save_inner(discover(repo.top), workspace, [b"lib"])
    assert any("lib/pipe is neither file nor link" in line for line in inner.warnings)


def test_a_file_that_goes_meanwhile_stops_it(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "loop").mkdir()
    with pytest.raises(CaptureFailed, match="can't save"):
        store_folder(discover(repo.top), {b"": os.fsencode(tmp_path / "gone")})


def test_an_object_that_is_missing_stops_the_way_back(repo: Repo, tmp_path: Path) -> None:
    from sideshoot.errors import GitError

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("held\n")
    archive = store_folder(discover(repo.top), {b"": os.fsencode(tmp_path / "folder")})
    oid = repo.text("rev-parse", f"{archive.tree}:files/file")
    (repo.common_dir / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(GitError, match="missing object"):
        bring_folder(discover(repo.top), archive.tree, os.fsencode(tmp_path / "back"))
