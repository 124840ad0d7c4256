"""Workspaces that have only some folders of the tree, whatever the user's own has.

It is git's sparse checkout in cone mode (git-sparse-checkout(1)), for the workspace alone: the files at
the top, those in the folders on the way, and all in the folders that were asked for. The switch for it,
`core.sparseCheckout`, can be set for one working tree only where `extensions.worktreeConfig` is on, which
git would switch on for all of the user's. So where it is off the agent finds the switch in its
environment; the workspace's index says of each file whether it is there, with or without the switch.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sideshoot.git.trees import differences, index_info
from sideshoot.workspace.places import facts, parents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from sideshoot.git import Git, Repository
    from sideshoot.git.trees import Entry
    from sideshoot.workspace.place import Workspace

CONFIG = "config.worktree"

SETTINGS = {"core.sparseCheckout": "true", "core.sparseCheckoutCone": "true"}
"""With these git writes only what the patterns of a working tree cover."""

LOOKING = {"core.sparseCheckout": "true", "sparse.expectFilesOutsideOfPatterns": "false"}
"""With these git looks at a file that is there, though its entry in an index says to skip it."""

_SPECIAL = re.compile(rb"[\\*?\[]")


def narrow(repository: Repository, git_dir: Path, folders: Collection[bytes]) -> None:
    """Have a working tree be sparse, by its own git directory.

    :param folders: relative to the top; what lies in them is there.
    """
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info" / "sparse-checkout").write_bytes(patterns(folders))
    answer = repository.git.run(
        "config", "--type=bool", "--get", "extensions.worktreeConfig", accept=(0, 1)
    )
    if answer.text == "true":
        for name, value in SETTINGS.items():
            repository.git.run("config", "--file", str(git_dir / CONFIG), name, value)


def patterns(folders: Collection[bytes]) -> bytes:
    """What git itself writes into `info/sparse-checkout` for these folders."""
    whole = _outermost(folders)
    on_the_way = {above for folder in whole for above in parents(folder)} - whole
    lines = [b"/*", b"!/*/"]
    for folder in sorted(on_the_way | whole):
        name = _SPECIAL.sub(rb"\\\g<0>", folder)
        lines.append(b"/%s/" % name)
        if folder in on_the_way:
            lines.append(b"!/%s/*/" % name)
    return b"".join(line + b"\n" for line in lines)


def covered_by(folders: Collection[bytes]) -> Callable[[bytes], bool]:
    """A test whether the file at a path is in a workspace that has these folders."""
    whole = _outermost(folders)
    on_the_way = {b"", *(above for folder in whole for above in parents(folder))}

    def is_covered(path: bytes) -> bool:
        return path.rpartition(b"/")[0] in on_the_way or not whole.isdisjoint(parents(path))

    return is_covered


def environment(folders: Iterable[str]) -> dict[str, str]:
    """What the agent's git is told by variables: nothing where all folders are there."""
    if not [*folders]:
        return {}
    told = " ".join(f"'{name.lower()}={value}'" for name, value in SETTINGS.items())
    # As `git -c` hands it to what it starts; GIT_CONFIG_COUNT may be in use by the caller.
    before = os.environ.get("GIT_CONFIG_PARAMETERS", "")
    return {"GIT_CONFIG_PARAMETERS": f"{before} {told}".strip()}


def overlook(workspace: Workspace, git: Git) -> None:
    """Have a scratch index of the base skip what the agent's sparse checkout leaves out.

    Of what is not there nothing was deleted. It is as the agent's commits have it, if they changed it:
    a merge, say, changes files that are nowhere. What the user had not committed the agent has never
    seen there, so that counts more.

    :param git: aimed at the scratch index.
    """
    if not (workspace.git_dir / "info" / "sparse-checkout").exists():
        return
    ours, agents = _skipped(git), _skipped(workspace.repository.git)
    away = {path for path in ours | agents if facts(workspace.path, path) is None}
    if not away:
        return
    changes = _committed(workspace, away, ours)
    null_id = workspace.repository.null_id
    git.run("update-index", "-z", "--index-info", stdin=index_info(changes.items(), null_id))
    left = away - {path for path, entry in changes.items() if entry is None}
    names = b"".join(path + b"\0" for path in sorted(left))
    git.run("update-index", "--skip-worktree", "-z", "--stdin", stdin=names)


def _skipped(git: Git) -> set[bytes]:
    lines = git.configured(LOOKING).run("ls-files", "-t", "-z").lines
    return {line[2:] for line in lines if line.startswith(b"S ")}


def _committed(
    workspace: Workspace, away: Collection[bytes], ours: Collection[bytes]
) -> dict[bytes, Entry | None]:
    """What the agent's commits have at paths at which they changed something."""
    git, begin = workspace.repository.git, workspace.head
    now = workspace.repository.head()
    if begin is None or now is None or now == begin:
        return {}
    carried = {delta.path for delta in differences(git, begin, workspace.base)}
    deltas = [delta for delta in differences(git, begin, now) if delta.path in away]
    return {d.path: d.new for d in deltas if d.path not in carried or d.path not in ours}


def _outermost(folders: Collection[bytes]) -> set[bytes]:
    """The folders that lie in no other one of them."""
    return {folder for folder in folders if set(folders).isdisjoint(parents(folder))}
