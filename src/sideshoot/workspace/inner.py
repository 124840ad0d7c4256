"""Repositories that an agent made inside its workspace: git would keep no more of them than an id.

They are archived whole, with their history, under refs of the job's. A repository that began at the
workspace's own top (`git init` there) is one of them: its files are part of the result anyway, and
its `.git` folder is archived.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sideshoot.git import Git
from sideshoot.text import show_path
from sideshoot.workspace.archive import bring_folder, store_folder
from sideshoot.workspace.foreign import git_dir_of
from sideshoot.workspace.places import facts, from_text, place, to_text
from sideshoot.workspace.refs import inner_ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

Kind = Literal["repository", "module", "top", "files"]
"""``module``: its git directory lay where git puts those of submodules, and is archived as `.git`.
``top``: at the workspace's top; only its `.git` is held. ``files``: no repository, but what lay in
the folder of a submodule that the workspace did not have."""


@dataclass(frozen=True, slots=True)
class Inner:
    """One repository that lay inside."""

    path: bytes
    """Where it lay; empty for the top."""
    commit: str
    """Holds the archive."""
    kind: Kind = "repository"
    warnings: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """These facts, as JSON can hold them."""
        return {"kind": self.kind, "path": to_text(self.path), "commit": self.commit}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Inner:
        """Read what `record` made."""
        return cls(from_text(record["path"]), record["commit"], record["kind"])


def save_inner(
    repository: Repository, workspace: Workspace, paths: Sequence[bytes], *, first: int = 0
) -> list[Inner]:
    """Archive the repositories at these paths, and one at the top, each under an `inner_ref`.

    May be repeated; what is the same again keeps its commit.

    :param first: the number of the first ref to be used.
    :raises CaptureFailed: something in one can't be read.
    """
    wanted = [path.rstrip(b"/") for path in paths]
    if _is_folder(workspace.path, b".git"):
        wanted.insert(0, b"")
    return [_save(repository, workspace, path, number) for number, path in enumerate(wanted, first)]


def bring_inner(repository: Repository, inner: Sequence[Inner], folder: Path) -> dict[bytes, bytes]:
    """Write archived repositories into `folder`, ready to be moved to where they lay.

    One that lay at the top is left out, as its place is taken.

    :param folder: an empty one, on the file system of the user's tree.
    :return: for each path the place where it lies ready.
    """
    places: dict[bytes, bytes] = {}
    for number, one in enumerate(inner):
        if one.kind != "top":
            ready = place(folder, b"%d" % number)
            bring_folder(repository, f"{one.commit}^{{tree}}", ready)
            if one.kind == "module":
                _make_independent(ready)
            places |= _parts(one, ready)
    return places


def _parts(one: Inner, ready: bytes) -> dict[bytes, bytes]:
    """What is to be moved: the folder, or what is in it where the user has the folder already."""
    if one.kind != "files":
        return {one.path: ready}
    return {one.path + b"/" + name: ready + b"/" + name for name in sorted(os.listdir(ready))}


def _make_independent(top: bytes) -> None:
    """Let a repository that was a submodule find its own files."""
    file = os.fsdecode(top + b"/.git/config")
    unset = ("config", "--file", file, "--unset-all", "core.worktree")
    Git(Path("/")).run(*unset, accept=(0, 5))


def store(repository: Repository, job_id: str, number: int, tree: str, message: str) -> str:
    """Put a tree under an `inner_ref`; the commit of before stays if it says the same."""
    ref = inner_ref(job_id, number)
    shape = ("log", "-1", "--no-show-signature", "--format=%H %T %B")
    known = repository.git.run(*shape, ref, "--", accept=(0, 128))
    before, _, said = known.stdout.decode(errors="replace").strip().partition(" ")
    if said == f"{tree} {message}":
        return before
    commit = repository.commit(tree, message=f"{message}\n")
    repository.git.run("update-ref", ref, commit)
    return commit


def _save(repository: Repository, workspace: Workspace, path: bytes, number: int) -> Inner:
    top = place(workspace.path, path)
    git_dir = git_dir_of(workspace, path)
    places = {b"": top}
    kind: Kind = "repository"
    if not path:
        kind, places = "top", {b".git": top + b".git"}
    elif facts(workspace.path, path + b"/.git") is None:
        kind = "files"
    elif git_dir is not None and git_dir != top + b"/.git":
        kind, places[b".git"] = "module", git_dir
    archive = store_folder(repository, places)
    shown = show_path(path) or "the workspace's top"
    message = f"sideshoot: the {'files' if kind == 'files' else 'repository'} in {shown}"
    commit = store(repository, workspace.job_id, number, archive.tree, message)
    warnings = [_told(kind, shown, commit)]
    warnings += [
        f"{shown}/{show_path(file)} is neither file nor link, and git can't hold it"
        for file in archive.special
    ]
    return Inner(path, commit, kind, tuple(warnings))


def _told(kind: Kind, shown: str, commit: str) -> str:
    if kind == "top":
        return (
            "the agent began a repository of its own at the workspace's top; its files are part "
            f"of the result, and its .git folder is saved in {commit}"
        )
    if kind == "files":
        return f"{shown} is the folder of a submodule, and git can't hold its files; they are saved"
    return f"{shown} is a repository of its own; it is saved whole, history and all"


def _is_folder(top: Path, path: bytes) -> bool:
    found = facts(top, path)
    return found is not None and stat.S_ISDIR(found.st_mode)
