"""The steps of a job by Sideshoot.

`open` and `capture` are measured inside of a real job, by its own log: from when it begins to prepare
until the agent's first sign of life, and from the agent's end until the job is finished. `discard` is
taken in the same process. What is called a whole command is one, with the interpreter's start.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import steps
from benchmarks.figures import SIDESHOOT, Figures
from benchmarks.repositories import restore
from sideshoot.cli.main import main
from sideshoot.cli.run import command as run
from sideshoot.git import discover
from sideshoot.workspace import pool
from sideshoot.workspace.cleaning import clean_pool
from sideshoot.workspace.trash import empty_trash

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = (sys.executable, "-P", "-m", "sideshoot")

_AGENT = 'echo begun; line=$1; shift; for path; do echo "$line" >> "$path"; done'

_CLONES = any("--isolation" in option.opts for option in run.params)

_PATIENCE_S = 120.0


def take_steps(repo: Path, changed: Sequence[str], number: int, into: Figures) -> None:
    """Three jobs: one that is kept, and two that are discarded."""
    job = _job(repo, changed, f"# kept, {number}", into, steps.OPEN)
    with into.timed((steps.KEEP, SIDESHOOT)):
        command(repo, "keep", job)
    restore(repo, changed)
    job = _job(repo, changed, f"# discarded, {number}", into, steps.OPEN)
    with into.timed((steps.DISCARD, SIDESHOOT)):
        _called(repo, "discard", job)
    sweep(repo)
    job = _job(repo, changed, f"# discarded by a command, {number}", into, steps.OPEN)
    with into.timed((steps.DISCARD_COMMAND, SIDESHOOT)):
        command(repo, "discard", job)
    sweep(repo)


def open_otherwise(repo: Path, changed: Sequence[str], number: int, into: Figures) -> None:
    """Open from the pool, and as a clone where this version can."""
    aside = Figures()
    command(repo, "config", "workspace.pool", "1")
    for figures in (aside, into):  # The first one fills the pool.
        job = _job(repo, changed, f"# pooled, {number}", figures, steps.POOLED, capture=aside)
        command(repo, "discard", job)
        _await_pool(repo)
    command(repo, "config", "workspace.pool", "default")
    command(repo, "gc")
    if _CLONES:
        line, options = f"# cloned, {number}", ("--isolation", "clone")
        job = _job(repo, changed, line, into, steps.CLONED, *options, capture=aside)
        command(repo, "discard", job)
    sweep(repo)


def _await_pool(repo: Path) -> None:
    """Clean the folder of a finished job, beside the idle process that was started for it."""
    deadline = time.monotonic() + _PATIENCE_S
    clean_pool(discover(repo), [repo / ".worktrees"])
    while not any(entry.seal.exists() for entry in pool.entries(repo / ".git")):
        if time.monotonic() > deadline:
            raise SystemExit("the pool stays empty")
        time.sleep(0.05)


def open_once(repo: Path, line: str, into: Figures, step: str) -> None:
    """A job that is discarded again."""
    command(repo, "discard", _job(repo, (), line, into, step, capture=Figures()))
    sweep(repo)


def command(repo: Path, *argv: str) -> str:
    """Run a whole command, and return what it printed."""
    done = subprocess.run([*PROGRAM, *argv], cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout


def sweep(repo: Path) -> None:
    """Delete what was thrown away, beside the idle process that was started for it."""
    empty_trash(repo / ".worktrees")


def _job(
    repo: Path,
    changed: Sequence[str],
    line: str,
    into: Figures,
    step: str,
    *options: str,
    capture: Figures | None = None,
) -> str:
    """Do a job that changes these files, in this very process; return its id."""
    agent = ("sh", "-c", _AGENT, "sh", line, *changed)
    record = _run(repo, *options, "--", *agent)
    events = [json.loads(text) for text in Path(record["log"]).read_text().splitlines()]
    into.add(step, SIDESHOOT, _time(events, "output") - _time(events, "preparing"))
    taken = _time(events, "finished") - _time(events, "saving")
    (capture or into).add(steps.CAPTURE, SIDESHOOT, taken)
    return str(record["job_id"])


def _run(repo: Path, *argv: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(_called(repo, "run", "--json", "--sandbox", "off", *argv))
    return record


def _called(repo: Path, *argv: str) -> str:
    """What a command prints that is run in this process, which has been running for a while."""
    told, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(said):
        status = main(["-C", str(repo), *argv])
    if status:
        raise SystemExit(f"sideshoot {argv[0]} failed: {said.getvalue()}{told.getvalue()}")
    return told.getvalue()


def _time(events: Sequence[dict[str, Any]], name: str) -> float:
    """When the first event of this kind, or the first phase of this name, was."""
    return next(
        float(event["time"])
        for event in events
        if name in (event["kind"], event["data"].get("name"))
    )
