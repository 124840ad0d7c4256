"""The steps of a job on one repository, each way: Sideshoot's, git's, those of plugins, the floor.

All ways take turns, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import by_git, by_nobody, by_sideshoot
from benchmarks.figures import FEW, Figures
from benchmarks.repositories import paths

if TYPE_CHECKING:
    from pathlib import Path

OPEN = "open"
POOLED = "open, from the pool"
CLONED = "open, as a clone"
CAPTURE = "capture"
KEEP = "keep, whole command"
DISCARD = "discard"
DISCARD_COMMAND = "discard, whole command"
DISCARDS = (DISCARD, DISCARD_COMMAND)

CHANGED = 10
"""So many files the agent changes."""


def measure(repo: Path, files: int, rounds: int) -> Figures:
    """Take every step so many times each way."""
    figures = Figures()
    changed = _changed(files)
    for number, into in figures.rounds(rounds):
        by_sideshoot.take_steps(repo, changed, number, into)
        by_git.take_steps(repo, changed, number, into)
        by_nobody.take_steps(repo, changed, into)
    for number, _ in figures.rounds(min(rounds, FEW), patience_s=20.0):
        by_sideshoot.open_otherwise(repo, changed, number, figures)
    if figures.ms(CLONED, "sideshoot") is not None:
        by_git.clone(repo, min(rounds, FEW), figures)
    return figures


def _changed(files: int) -> list[str]:
    return list(paths(files))[:: max(1, files // CHANGED)][:CHANGED]
