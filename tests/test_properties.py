"""For random trees and edits: what is kept is the three-way merge, or nothing; undo takes it back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from sideshoot.errors import KeepConflict, KeepRefused
from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.keep import keep
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.quarantine import bring_home
from sideshoot.workspace.undo import undo
from support.merging import Conflict, above_of, merge, merged_index, renames_matter
from support.repos import SYMLINK, Repo, as_git_sees
from support.twins import settled
from support.workspaces import JOB, cloned, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.repos import Tree

REGULAR, EXECUTABLE = 0o100644, 0o100755

EXAMPLES = int(os.environ.get("SIDESHOOT_EXAMPLES", "60"))
SHRINK = [Phase.shrink] if os.environ.get("SIDESHOOT_SHRINK") else []
"""Each example is a few dozen processes, so finding the smallest one takes minutes."""

names = st.sampled_from([b"a", b"b", b"c", b"sp ace", b"new\nline", b"\xff", "ü".encode(), b"-d"])
paths = st.lists(names, min_size=1, max_size=3).map(b"/".join)
contents = st.integers(0, 12) | st.sampled_from([b"", b"no end", b"\0binary", b"\xfc\n", b"a\r\n"])
"""A number stands for a text of so many lines."""
nodes = st.one_of(
    st.tuples(st.just(REGULAR), contents),
    st.tuples(st.just(EXECUTABLE), contents),
    st.tuples(st.just(SYMLINK), st.sampled_from([b"a", b"b/c", b"/dev/null", b"\xff"])),
)
numbers = st.integers(0, 30)
edits = st.one_of(
    st.tuples(st.just("write"), paths, nodes),
    st.tuples(st.just("line"), numbers, numbers),
    st.tuples(st.just("line"), numbers, numbers),
    st.tuples(st.just("delete"), numbers, st.none()),
    st.tuples(st.just("mode"), numbers, st.none()),
    st.tuples(st.just("rename"), numbers, paths),
    st.tuples(st.just("rename folder"), numbers, names),
)
many_edits = st.lists(edits, max_size=4)


def edited(tree: Tree, steps: Sequence[tuple[Any, ...]], who: bytes) -> Tree:
    """A tree after some edits; those that fit nothing are left out."""
    for step in steps:
        kind, first, second = step
        tree = _edited(tree, kind, first, second, who)
    return tree


def _edited(tree: Tree, kind: str, first: Any, second: Any, who: bytes) -> Tree:
    if kind == "write":
        return _with(tree, first, _fresh(first, second, who))
    if not tree:
        return tree
    path = sorted(tree)[first % len(tree)]
    mode, content = tree[path]
    rest = {other: node for other, node in tree.items() if other != path}
    if kind == "delete":
        return rest
    if kind == "rename":
        return _with(rest, second, (mode, content))
    if kind == "rename folder" and b"/" in path:
        return _with_folder_renamed(tree, path.split(b"/")[0], second)
    if kind == "mode" and mode != SYMLINK:
        return tree | {path: (mode ^ REGULAR ^ EXECUTABLE, content)}
    if kind == "line" and mode != SYMLINK:
        return tree | {path: (mode, _with_line(content, second, who))}
    return tree


def _fresh(path: bytes, node: tuple[int, int | bytes], who: bytes) -> tuple[int, bytes]:
    """Contents that are nowhere else, so that no other file is taken for this one renamed."""
    mode, content = node
    name = path.hex().encode()
    if isinstance(content, int):
        return mode, b"".join(b"%s %s %d\n" % (name, who, line) for line in range(content))
    return mode, content and content + name + who


def _with(tree: Tree, path: bytes, node: tuple[int, bytes]) -> Tree:
    """Put something at a path; a file in place of a folder, and the other way about."""
    above = above_of(path)
    kept = {p: n for p, n in tree.items() if p not in above and path not in above_of(p)}
    return kept | {path: node}


def _with_folder_renamed(tree: Tree, old: bytes, new: bytes) -> Tree:
    moved = {p: n for p, n in tree.items() if p.startswith(old + b"/")}
    rest = {p: n for p, n in tree.items() if p not in moved}
    for path, node in moved.items():
        rest = _with(rest, new + path[len(old) :], node)
    return rest


def _with_line(content: bytes, number: int, who: bytes) -> bytes:
    """Each line is there once, so that there is only one way to see what was changed."""
    lines = content.splitlines(keepends=True)
    position = number % (len(lines) + 1)
    return b"".join([*lines[:position], b"%s %d\n" % (who, number), *lines[position + 1 :]])


def put(repo: Repo, tree: Tree) -> None:
    """Make the files in a working tree those of `tree`, touching only what differs."""
    present = as_git_sees(repo.tree())
    for path in present:
        if present[path] != tree.get(path):
            repo.remove(path)
            _remove_empty_folders(repo, path)
    for path, (mode, content) in tree.items():
        if present.get(path) == (mode, content):
            continue
        if mode == SYMLINK:
            repo.link(path, content)
        else:
            repo.write(path, content, mode=mode & 0o777)


def _remove_empty_folders(repo: Repo, path: bytes) -> None:
    for folder in reversed(above_of(path)):
        if any(repo.place(folder).iterdir()):
            return
        repo.place(folder).rmdir()


def stage(repo: Repo, chosen: Sequence[int]) -> None:
    """Stage some of what the user changed."""
    tree = repo.tree()
    known = sorted({entry[0] for entry in repo.index()} | tree.keys())
    picked = {known[number % len(known)] for number in chosen} if known else set()
    for how, paths in (("--force-remove", picked - tree.keys()), ("--add", picked & tree.keys())):
        listed = b"".join(path + b"\0" for path in sorted(paths))
        repo.git("update-index", how, "--replace", "-z", "--stdin", stdin=listed)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, *SHRINK],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(
    first=st.dictionaries(paths, nodes, min_size=1, max_size=7),
    before=many_edits,
    staged_before=st.lists(numbers, max_size=3),
    agent=st.lists(edits, min_size=1, max_size=5),
    agent_git=st.sampled_from(["", "git add -A", "git add -A && git commit -qm x"]),
    after=many_edits,
    staged_after=st.lists(numbers, max_size=3),
    part=st.none() | numbers,
    clone=st.booleans(),
)
@pytest.mark.timeout(900)
def test_what_is_kept_is_the_three_way_merge_and_undo_takes_it_back(
    *,
    first: Tree,
    before: list[Any],
    staged_before: list[int],
    agent: list[Any],
    agent_git: str,
    after: list[Any],
    staged_after: list[int],
    part: int | None,
    clone: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo.create(Path(folder) / "r", {})
        start = edited({}, [("write", path, node) for path, node in first.items()], b"user")
        put(repo, start)
        repo.commit()
        base = edited(start, before, b"user")
        put(repo, base)
        stage(repo, staged_before)

        work = edited(base, agent, b"agent")
        result = worked(repo, work, agent_git, clone=clone)
        assert repo.committed(result) == work

        ours = edited(base, after, b"user again")
        put(repo, ours)
        stage(repo, staged_after)
        changed = sorted({path.split(b"/")[0] for path, _ in base.items() ^ work.items()})
        if part is not None and changed:
            chosen = changed[part % len(changed)]
            partly = _below(work, chosen) | _below(base, chosen, outside=True)
            check_keep_and_undo(repo, base, ours, partly, result, chosen)
        check_keep_and_undo(repo, base, ours, work, result)


def _below(tree: Tree, top: bytes, *, outside: bool = False) -> Tree:
    """What a tree has at or below a name, or all else that it has."""
    return {p: node for p, node in tree.items() if (p.split(b"/")[0] == top) != outside}


def worked(repo: Repo, work: Tree, agent_git: str, *, clone: bool) -> str:
    """Let an agent do its work; the user's repository stays as it was. Returns the result."""
    untouched = repo.fingerprint()
    workspace = cloned(repo) if clone else opened(repo)
    inside = Repo(workspace.path)
    assert as_git_sees(inside.tree()) == as_git_sees(repo.tree())
    put(inside, work)
    if agent_git:
        for command in agent_git.split(" && "):
            inside.git(*command.split()[1:], accept=(0, 1))
    captured = capture(discover(repo.top), workspace)
    if clone:
        bring_home(discover(repo.top), workspace.holder, JOB, workspace.head)
    assert repo.fingerprint() == untouched
    return captured.commit


def check_keep_and_undo(
    repo: Repo, base: Tree, ours: Tree, work: Tree, result: str, *paths: bytes
) -> None:
    """Keep `result`, or only what it changed at `paths`, which makes `work` of `base`; and undo."""
    untouched, index = repo.fingerprint(), repo.staged()
    wanted = merged_or_none(base, ours, work)
    renamed = renames_matter(base, ours, work)
    kept = keeps(repo, result, paths)
    if not kept:
        event("refused")
        assert wanted is None or renamed
        assert repo.fingerprint() == untouched
        return
    if not renamed:
        event("nothing to keep" if wanted == ours else "kept")
        assert as_git_sees(repo.tree()) == wanted
        assert repo.staged() == merged_index(index, ours, wanted or {})
    if as_git_sees(repo.tree()) != ours:
        undo(discover(repo.top), JOB)
    assert settled(repo.fingerprint()) == settled(untouched)


def merged_or_none(base: Tree, ours: Tree, work: Tree) -> Tree | None:
    try:
        return merge(base, ours, work)
    except Conflict:
        return None


def keeps(repo: Repo, result: str, paths: tuple[bytes, ...]) -> bool:
    base = repo.text("rev-parse", f"refs/sideshoot/{JOB}/base")
    try:
        keep(discover(repo.top), JOB, base, result, KeepOptions(paths=paths))
    except (KeepConflict, KeepRefused):
        return False
    return True
