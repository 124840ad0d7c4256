"""Whole commands, from the interpreter's start to its end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.by_sideshoot import PROGRAM
from benchmarks.figures import FLOOR, GIT, SIDESHOOT, Figures
from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.store import Store
from sideshoot.model import Job, JobId, Outcome, Request, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERSION = "--version"
HELP = "keep --help"
RUN = "run -- true"
FENCED = "run -- true, inside a fence"

FEW = 10

_EMPTY = (sys.executable, "-P", "-c", "import click\nclick.command()(lambda: None)()")
"""A program of click's that does nothing."""
_RUN = ("run", "--sandbox", "off", "--", "true")

SCRIPT = """\
set -e
top=$(git rev-parse --show-toplevel) head=$(git rev-parse --verify HEAD)
common=$(git rev-parse --path-format=absolute --git-common-dir)
git diff-files --quiet; git ls-files --others --exclude-standard -z
git update-ref refs/bench/base "$head"
git for-each-ref >"$common/bench-before"
git worktree add -q -b bench/1 .worktrees/bench
cd .worktrees/bench
true
own=$(git rev-parse --path-format=absolute --git-dir)
cp -p "$own/index" "$own/bench-index"
export GIT_INDEX_FILE="$own/bench-index"
git add -A
result=$(git commit-tree -p "$head" -m result "$(git write-tree)")
unset GIT_INDEX_FILE
git update-ref refs/bench/result "$result"
git ls-files --others --ignored --exclude-standard --directory -z
git for-each-ref >"$common/bench-after"
"""
"""What a job does with git, without anything around it: a base, a worktree, a saved result, and the
user's refs as they were before and after. The agent is `true`."""

_CLEAN = """\
git worktree remove --force .worktrees/bench && git branch -q -D bench/1
git update-ref -d refs/bench/base; git update-ref -d refs/bench/result
"""


def among(command: str, jobs: int) -> str:
    """The name of the row about a command where there are so many finished jobs."""
    return f"{command}, {jobs:,} finished jobs"


def measure(repo: Path, rounds: int, *, many: int) -> Figures:
    """Take commands with few finished jobs and with many, in a small repository."""
    other = repo.with_name("many")
    subprocess.run(["git", "clone", "-q", repo, other], check=True)
    _finish_jobs(repo, FEW)
    _finish_jobs(other, many)
    lines: dict[str, tuple[Path, tuple[str, ...]]] = {
        VERSION: (repo, ("--version",)),
        HELP: (repo, ("keep", "--help")),
        among("status", FEW): (repo, ("status",)),
        among("status", many): (other, ("status",)),
        among("gc --dry-run", many): (other, ("gc", "--dry-run")),
        among(RUN, many): (other, _RUN),
    }
    figures = Figures()
    for _, into in figures.rounds(rounds):
        for name, (folder, argv) in lines.items():
            _take(into, name, SIDESHOOT, folder, (*PROGRAM, *argv))
            _take(into, name, FLOOR, folder, _EMPTY)
    return figures


def measure_run(repo: Path, rounds: int) -> Figures:
    """Take a job that does nothing: with Sideshoot, and as a shell script of git commands."""
    figures = Figures()
    for _, into in figures.rounds(rounds):
        _take(into, RUN, SIDESHOOT, repo, (*PROGRAM, *_RUN))
        _take(into, RUN, GIT, repo, ("sh", "-c", SCRIPT))
        _quiet(repo, ("sh", "-c", _CLEAN))
        _take(into, RUN, FLOOR, repo, _EMPTY)
        _take(into, FENCED, SIDESHOOT, repo, (*PROGRAM, "run", "--", "true"))
    return figures


def _take(into: Figures, step: str, way: str, folder: Path, argv: Sequence[str]) -> None:
    with into.timed((step, way)):
        _quiet(folder, argv)


def _quiet(folder: Path, argv: Sequence[str]) -> None:
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)


def _finish_jobs(repo: Path, count: int) -> None:
    store = Store.open(discover(repo).state_dir)
    for number in range(count):
        job_id = JobId(f"b{number:05}")
        JobFolder(store.state_dir, job_id).top.mkdir(parents=True)
        store.add(
            Job(
                id=job_id,
                request=Request(agent="command", command=("make", f"target-{number}")),
                state=State.FINISHED,
                outcome=Outcome.SUCCEEDED,
                created_at=1e9 + number,
                started_at=1e9 + number,
                finished_at=1e9 + number + 60,
                target=str(repo),
            )
        )
    store.close()
