"""Whole commands, from the interpreter's start to its end."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.store import Store
from sideshoot.model import Job, JobId, Outcome, Request, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIDESHOOT = (sys.executable, "-P", "-m", "sideshoot")
START = "an empty program"
EMPTY = "an empty click program"
CLICK = "import click\nclick.command()(lambda: None)()"


def measure(repo: Path, count: int) -> Iterator[tuple[str, ...]]:
    """Rows of a table: what a command takes, and its ratio to a click program that does nothing."""
    few, many = repo.with_name("few jobs"), repo.with_name("many jobs")
    repo.rename(few)
    subprocess.run(["git", "clone", "-q", few, many], check=True)
    _finish_jobs(few, 10)
    _finish_jobs(many, 1000)
    programs: dict[str, tuple[Path, Sequence[str]]] = {
        START: (few, (sys.executable, "-c", "pass")),
        EMPTY: (few, (sys.executable, "-P", "-c", CLICK)),
        "sideshoot --version": (few, (*SIDESHOOT, "--version")),
        "sideshoot keep --help": (few, (*SIDESHOOT, "keep", "--help")),
        "sideshoot status, 10 finished jobs": (few, (*SIDESHOOT, "status")),
        "sideshoot status, 1000 finished jobs": (many, (*SIDESHOOT, "status")),
    }
    taken = _in_turns(programs, count)
    for name in programs:
        yield name, f"{taken[name]:.1f}", f"{taken[name] / taken[EMPTY]:.2f}"


def _in_turns(programs: dict[str, tuple[Path, Sequence[str]]], count: int) -> dict[str, float]:
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(-1, count):
        for name, (folder, argv) in programs.items():
            start = perf_counter()
            subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            if number >= 0:  # The first round warms the caches.
                taken[name].append(perf_counter() - start)
    return {name: 1000 * median(seconds) for name, seconds in taken.items()}


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
