"""Many jobs in one repository: in turn, and all at once."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.by_sideshoot import PROGRAM, command, sweep

if TYPE_CHECKING:
    from pathlib import Path

_RUN = (*PROGRAM, "run", "--sandbox", "off", "--", "sh", "-c", "echo new >new-file")


@dataclass(frozen=True, slots=True)
class Crowd:
    """What so many jobs took, each the whole command with a workspace that stays."""

    count: int
    in_turn_ms: float
    at_once_ms: float
    failures: int
    """How many of those at once failed, or left no workspace with the agent's file in it."""


def measure(repo: Path, count: int) -> Crowd:
    in_turn = _taken(repo, count, at_once=False)
    _discard(repo)
    at_once = _taken(repo, count, at_once=True)
    good = len([*repo.glob(".worktrees/*/new-file")])
    _discard(repo)
    return Crowd(count, 1000 * in_turn, 1000 * at_once, count - good)


def _taken(repo: Path, count: int, *, at_once: bool) -> float:
    start = time.perf_counter()
    running = []
    for _ in range(count):
        running.append(_begun(repo))
        if not at_once:
            running.pop().wait()
    for process in running:
        process.wait()
    return time.perf_counter() - start


def _begun(repo: Path) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(_RUN, cwd=repo, stdin=quiet, stdout=quiet, stderr=quiet)


def _discard(repo: Path) -> None:
    jobs = json.loads(command(repo, "status", "--all", "--json"))["jobs"]
    command(repo, "discard", *(job["job_id"] for job in jobs if job["worktree"]))
    sweep(repo)
