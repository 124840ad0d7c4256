"""Three-way merges of whole trees, in the object store alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sideshoot.git.trees import Entry, changed_tree, entries_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.git import Git, Repository

Side = Literal["ours", "theirs"]
Stages = dict[int, Entry]
"""What a conflicted path is in the merge base (1), on our side (2) and on theirs (3)."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of a merge; where there are conflicts, `tree` holds their markers."""

    tree: str
    conflicts: Mapping[bytes, Stages] = field(default_factory=dict)


def merge_commits(repository: Repository, ours: str, theirs: str) -> Merged:
    """Merge two commits.

    Their history says what the merge base is: where the agent took in commits that the user has as
    well, those are not taken for the agent's own.
    """
    # A folder that one side renamed does not pull along what the other side puts into it: the
    # agent's new file lands where the agent put it.
    git = repository.git.configured({"merge.directoryRenames": "false"})
    argv = ("merge-tree", "--write-tree", "-z", "--no-messages", ours, theirs)
    return _parse(git.run(*argv, accept=(0, 1)).stdout)


def merge_trees(repository: Repository, *, base: str, ours: str, theirs: str) -> Merged:
    """Merge two trees that both came from `base`."""
    message = "sideshoot: one side of a merge\n"
    root = repository.commit(base, message=message)
    ours_commit = repository.commit(ours, parents=(root,), message=message)
    theirs_commit = repository.commit(theirs, parents=(root,), message=message)
    return merge_commits(repository, ours_commit, theirs_commit)


def take_side(
    repository: Repository, merged: Merged, *, side: Side, ours: str, theirs: str, folder: Path
) -> Merged:
    """Settle every conflict for one side; what does not conflict stays merged.

    Within a text only the lines in conflict are taken from that side.

    :param ours: the tree of the one side, and `theirs` of the other.
    :param folder: takes scratch files.
    """
    paths = sorted(merged.conflicts)
    chosen: dict[bytes, Entry | None] = {}
    for path in paths:
        chosen[path] = _settled(repository.git, merged.conflicts[path], side, folder)
    # Where a file meets a folder, git gives one of them a name that neither side knows.
    chosen |= dict.fromkeys(_invented(repository, merged, ours, theirs))
    tree = changed_tree(
        repository.git,
        merged.tree,
        chosen,
        index=folder / "settled-index",
        null_id=repository.null_id,
    )
    return Merged(tree)


def _parse(output: bytes) -> Merged:
    tree, *records = output.split(b"\0")
    conflicts: dict[bytes, Stages] = {}
    for record in records:
        if not record:
            break
        facts, path = record.split(b"\t", 1)
        mode, oid, stage = facts.decode("ascii").split(" ")
        conflicts.setdefault(path, {})[int(stage)] = Entry(mode, oid)
    return Merged(tree.decode("ascii").strip(), conflicts)


def _settled(git: Git, stages: Stages, side: Side, folder: Path) -> Entry | None:
    mine = stages.get(2 if side == "ours" else 3)
    if len(stages) < 3 or mine is None or len({entry.mode for entry in stages.values()}) > 1:
        return mine
    names = []
    for stage in (2, 1, 3):
        place = folder / f"stage-{stage}"
        place.write_bytes(git.run("cat-file", "blob", stages[stage].oid).stdout)
        names.append(str(place))
    # 255 is git's word for what it can't merge line by line, a binary file.
    merged = git.run("merge-file", "-p", f"--{side}", *names, accept=(0, 255))
    if merged.status:
        return mine
    return Entry(mine.mode, git.text("hash-object", "-w", "--stdin", stdin=merged.stdout))


def _invented(repository: Repository, merged: Merged, ours: str, theirs: str) -> list[bytes]:
    marked = [path for path in merged.conflicts if b"~" in path]
    known = entries_at(repository.git, ours, marked) | entries_at(repository.git, theirs, marked)
    return [path for path in marked if path not in known]
