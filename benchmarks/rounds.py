"""The steps of a job, each way: Sideshoot's by its Python interface, and by git commands.

The git commands are those that programs for agents in worktrees commonly use.
"""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from benchmarks.repositories import git, let_be_old, paths
from sideshoot.git import discover
from sideshoot.model import JobId
from sideshoot.workspace.base import make_base
from sideshoot.workspace.capture import capture
from sideshoot.workspace.keep import KeepOptions, keep
from sideshoot.workspace.opening import open_workspace, plan_workspace
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.trash import empty_trash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.opening import Workspace

T = TypeVar("T")

CHANGED = 10
"""So many files the agent changes."""

STEPS = {
    "create": "worktree add -b",
    "capture": "add -A; diff --cached --binary",
    "keep": "apply --index",
    "discard": "worktree remove --force; branch -D",
}


class Clock:
    """What each step took, round by round."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = defaultdict(list)

    def time(self, step: str, action: Callable[[], T]) -> T:
        """Do it, and note how long it took."""
        start = time.perf_counter()
        result = action()
        self._taken[step].append(time.perf_counter() - start)
        return result

    def median_ms(self, step: str) -> float:
        return 1000 * median(self._taken[step])


def measure(repo: Path, count: int) -> Iterator[tuple[str, ...]]:
    """Rows of a table: what each step takes both ways, and the ratio."""
    ours, theirs = Clock(), Clock()
    files = len(git(repo, "ls-files").splitlines())
    for number in range(-1, count):
        # The first round warms the caches and is not counted.
        job = JobId(f"bench{number + 1}")
        _by_sideshoot(repo, job, _changed(files, number, "a"), Clock() if number < 0 else ours)
        _by_git(repo, _changed(files, number, "b"), Clock() if number < 0 else theirs)
    for step, commands in STEPS.items():
        yield _row(f"{step} (git {commands})", (step,), ours, theirs)
    yield _row("capture and keep", ("capture", "keep"), ours, theirs)
    yield _row("all four", tuple(STEPS), ours, theirs)


def _row(name: str, steps: tuple[str, ...], ours: Clock, theirs: Clock) -> tuple[str, ...]:
    our_ms, their_ms = (sum(map(clock.median_ms, steps)) for clock in (ours, theirs))
    return name, f"{our_ms:.1f}", f"{their_ms:.1f}", f"{our_ms / their_ms:.2f}"


def _changed(files: int, number: int, way: str) -> dict[str, str]:
    """What the agent does, never the same twice: else git would find the objects there."""
    chosen = list(paths(files))[:: max(1, files // CHANGED)][:CHANGED]
    return dict.fromkeys(chosen, f"# {number}{way}\n")


def _work(top: Path, changes: dict[str, str]) -> None:
    for path, line in changes.items():
        with (top / path).open("a") as file:
            file.write(line)


def _by_sideshoot(repo: Path, job: JobId, changes: dict[str, str], clock: Clock) -> None:
    repository = discover(repo)
    workspace = clock.time("create", lambda: _opened(repository, job))
    _work(workspace.path, changes)
    captured = clock.time("capture", lambda: capture(repository, workspace))
    options = KeepOptions()
    clock.time("keep", lambda: keep(repository, job, workspace.base, captured.commit, options))
    clock.time("discard", lambda: remove_workspace(repository, workspace))
    # Beside the process that was started for it, which is idle and slow.
    empty_trash(workspace.path.parent)
    _restore(repo, changes)


def _opened(repository: Repository, job: JobId) -> Workspace:
    base = make_base(repository, job)
    workspace = plan_workspace(repository, job, base)
    open_workspace(repository, workspace, base)
    return workspace


def _by_git(repo: Path, changes: dict[str, str], clock: Clock) -> None:
    folder, patch = repo.parent / "worktree", repo.parent / "patch"
    add = ("worktree", "add", "-q", "-b", "bench/1", str(folder))
    clock.time("create", lambda: _run(repo, *add))
    _work(folder, changes)
    clock.time("capture", lambda: _write_patch(folder, patch))
    clock.time("keep", lambda: _run(repo, "apply", "--index", str(patch)))
    clock.time("discard", lambda: _remove(repo, folder))
    _restore(repo, changes)


def _write_patch(folder: Path, patch: Path) -> None:
    _run(folder, "add", "-A")
    with patch.open("wb") as file:
        argv = ["git", "diff", "--cached", "--binary", "HEAD"]
        subprocess.run(argv, cwd=folder, stdout=file, check=True)


def _remove(repo: Path, folder: Path) -> None:
    _run(repo, "worktree", "remove", "--force", str(folder))
    _run(repo, "branch", "-q", "-D", "bench/1")


def _run(folder: Path, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=folder, check=True, stdin=subprocess.DEVNULL)


def _restore(repo: Path, changes: dict[str, str]) -> None:
    git(repo, "reset", "-q", "--hard")
    let_be_old(repo, list(changes))
