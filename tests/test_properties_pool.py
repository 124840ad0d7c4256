"""For random trees, leavings and next trees: a workspace from the pool is what a new one is."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from support.pooling import ONE, assert_as_new, finished, inode
from support.repos import Repo
from support.workspaces import opened
from test_properties import edited, many_edits, names, nodes, paths, put

if TYPE_CHECKING:
    from support.repos import Tree

EXAMPLES = int(os.environ.get("SIDESHOOT_EXAMPLES", "60")) // 3
"""Each waits for a second to pass."""

numbers = st.integers(0, 30)
leavings = st.one_of(
    st.tuples(st.just("write"), paths, st.sampled_from([b"", b"x\n", b"\0"])),
    st.tuples(st.just("same size and time"), numbers, st.none()),
    st.tuples(st.just("ignored"), paths, st.none()),
    st.tuples(st.just("folder"), paths, st.sampled_from([0o755, 0o700, 0o000, 0o777])),
    st.tuples(st.just("link"), paths, st.sampled_from([b"a", b"/", b"..", b"gone"])),
    st.tuples(st.just("mode"), numbers, st.sampled_from([0o600, 0o755, 0o000, 0o4755])),
    st.tuples(st.just("delete"), numbers, st.none()),
    st.tuples(st.just("rename"), numbers, paths),
    st.tuples(st.just("second name"), numbers, paths),
    st.tuples(st.just("pipe"), paths, st.none()),
    st.tuples(
        st.just("git"),
        st.sampled_from(
            [
                ["add", "-A"],
                ["commit", "-qam", "x", "--allow-empty"],
                ["init", "-q", "inner"],
                ["update-index", "--assume-unchanged", "a"],
                ["update-index", "--skip-worktree", "b"],
                ["checkout", "-q", "--detach"],
                ["sparse-checkout", "set", "c"],
                ["stash", "-qu"],
                ["rm", "-qrf", "."],
                ["worktree", "prune"],
            ]
        ),
        st.none(),
    ),
)


def leave(top: Path, kind: str, what: Any, how: Any) -> None:
    """Do one thing that an agent may do; what does not fit is left out."""
    with contextlib.suppress(OSError):
        if kind == "git":
            Repo(top).git(*what, accept=range(256))
        elif isinstance(what, int):
            _change(top, _picked(top, what), kind, how)
        else:
            _make(top / os.fsdecode(what), kind, how)


def _picked(top: Path, number: int) -> Path:
    found = sorted(path for path in top.rglob("*") if path.name != ".git")
    return found[number % len(found)] if found else top / "none"


def _change(top: Path, thing: Path, kind: str, how: Any) -> None:
    facts = thing.lstat()
    if kind == "same size and time" and stat.S_ISREG(facts.st_mode):
        thing.write_bytes(b"#" * facts.st_size)
        os.utime(thing, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    elif kind == "mode" and not thing.is_symlink():
        thing.chmod(how)
    elif kind == "delete" and thing.is_dir() and not thing.is_symlink():
        shutil.rmtree(thing)
    elif kind == "delete":
        thing.unlink()
    elif kind == "rename":
        thing.rename(top / os.fsdecode(how))
    elif kind == "second name":
        os.link(thing, top / os.fsdecode(how), follow_symlinks=False)


def _make(place: Path, kind: str, how: Any) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "write" and not place.is_fifo():  # Which nobody reads.
        place.write_bytes(how)
    elif kind == "ignored":
        place.with_name(f"{place.name}.log").touch()
    elif kind == "folder":
        place.mkdir(exist_ok=True)
        place.chmod(how)
    elif kind == "link":
        place.symlink_to(os.fsdecode(how))
    elif kind == "pipe":
        os.mkfifo(place)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(
    first=st.dictionaries(paths, nodes, min_size=1, max_size=7),
    agent=st.lists(leavings, min_size=1, max_size=6),
    after=many_edits,
    committed=st.booleans(),
    renamed=st.none() | names,
)
@pytest.mark.timeout(900)
def test_a_workspace_from_the_pool_is_what_a_new_one_is(
    *, first: Tree, agent: list[Any], after: list[Any], committed: bool, renamed: bytes | None
) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        repo = Repo.create(Path(folder) / "r", {})
        (repo.git_dir / "info" / "exclude").write_text("*.log\n/.worktrees\n")
        start = edited({}, [("write", path, node) for path, node in first.items()], b"user")
        put(repo, start)
        repo.commit()
        workspace = opened(repo, "first", reuse=ONE)
        number = inode(workspace.path)
        for step in agent:
            leave(workspace.path, *step)
        finished(repo, workspace)
        put(repo, edited(start, after, b"user"))
        if committed:
            repo.commit()
        if renamed is not None:
            repo.write(renamed + b".txt", "untracked\n")
        second = opened(repo, "second", reuse=ONE)
        event("used again" if inode(second.path) == number else "thrown away")
        assert_as_new(repo, second)
