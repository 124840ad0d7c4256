"""The steps of a job by git commands."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks import steps
from benchmarks.figures import GIT, PLUGINS, Figures
from benchmarks.repositories import git, restore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def take_steps(repo: Path, changed: Sequence[str], number: int, into: Figures) -> None:
    """Open a worktree, change files, look what changed, bring that back, remove the worktree."""
    folder, patch = repo.parent / "worktree", repo.parent / "patch"
    with into.timed((steps.OPEN, GIT), (steps.OPEN, PLUGINS), (steps.POOLED, GIT)):
        git(repo, "worktree", "add", "-q", "-b", "bench/1", str(folder))
    git(folder, "status")  # The first one after a checkout reads every file again.
    for path in changed:
        with (folder / path).open("a") as file:
            file.write(f"# by git, {number}\n")
    with into.timed((steps.CAPTURE, GIT)):
        git(folder, "status", "--porcelain")
    _bring_back(repo, folder, patch, into)
    with into.timed(*[(step, way) for step in steps.DISCARDS for way in (GIT, PLUGINS)]):
        git(repo, "worktree", "remove", "--force", str(folder))
        git(repo, "branch", "-q", "-D", "bench/1")
    restore(repo, changed)


def _bring_back(repo: Path, folder: Path, patch: Path, into: Figures) -> None:
    with into.timed((steps.KEEP, PLUGINS)):
        with into.timed((steps.CAPTURE, PLUGINS)):
            git(folder, "add", "-A")
            patch.write_bytes(git(folder, "diff", "--cached", "--binary", "HEAD"))
        with into.timed((steps.KEEP, GIT)):
            git(repo, "apply", "--index", str(patch))


def clone(repo: Path, rounds: int, into: Figures) -> None:
    """What a clone that borrows the objects takes."""
    folder = repo.parent / "clone"
    for _ in range(rounds):
        with into.timed((steps.CLONED, GIT)):
            git(repo, "clone", "-q", "--shared", ".", str(folder))
        shutil.rmtree(folder)
