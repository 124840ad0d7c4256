"""One run of the whole benchmark."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from benchmarks import commands, crowd, equipped, steps
from benchmarks.figures import Figures
from benchmarks.repositories import build

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.crowd import Crowd


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...] = (200, 5_000, 50_000)
    rounds: int | None = None
    """How often; by default as often as a size allows."""
    jobs: int = 1_000
    """How many finished jobs are many."""
    crowd: int = 32
    """How many jobs run at once."""
    ignored: int = 2_000
    """How many ignored files a project needs."""

    def rounds_for(self, size: int) -> int:
        if self.rounds is not None:
            return self.rounds
        return 9 if size < 2_000 else 5 if size < 20_000 else 3


QUICK = Plan(sizes=(50,), rounds=1, jobs=20, crowd=2, ignored=20)
"""Only to see that all of it works."""


@dataclass
class Results:
    """All figures of one run, and what they were taken on."""

    plan: Plan
    machine: str
    load: tuple[float, float]
    """The average number of processes that wanted to run, before and after."""
    steps: dict[int, Figures] = field(default_factory=dict)
    """By the number of files."""
    commands: Figures = field(default_factory=Figures)
    run: Figures = field(default_factory=Figures)
    equipped: Figures = field(default_factory=Figures)
    crowd: Crowd = field(default_factory=lambda: crowd.Crowd(0, 1, 1, 0))
    took_s: float = 0.0

    def size_like(self, size: int) -> int:
        """The measured size that is nearest to this one."""
        return min(self.steps, key=lambda measured: abs(measured - size))


def measure(plan: Plan, folder: Path) -> Results:
    """Measure everything, in repositories below this folder; tells on standard error how far it is."""
    begun, load = time.monotonic(), os.getloadavg()[0]
    os.environ |= calm(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles all that it imports
    results = Results(plan, machine(folder), (load, load))
    small = build(folder / "commands" / "repository", 200)
    rounds = plan.rounds or 9
    _say("commands")
    results.run = commands.measure_run(small, rounds)
    results.commands = commands.measure(small, rounds, many=plan.jobs)
    _say(f"{plan.crowd} at once")
    results.crowd = crowd.measure(small, plan.crowd)
    results.equipped = equipped.measure(folder, plan.ignored, plan.rounds or 3)
    for size in plan.sizes:
        _say(f"{size:,} files")
        repo = build(folder / f"{size}" / "repository", size)
        results.steps[size] = steps.measure(repo, size, plan.rounds_for(size))
    results.load = (load, os.getloadavg()[0])
    results.took_s = time.monotonic() - begun
    return results


def calm(folder: Path) -> dict[str, str]:
    """A home and a configuration of the benchmark's own, whatever the user's are."""
    place = folder / "gitconfig"
    place.write_text(
        "[user]\n\tname = Bench\n\temail = bench@example.org\n[gc]\n\tauto = 0\n"
        "[maintenance]\n\tauto = false\n[init]\n\tdefaultBranch = main\n"
    )
    return {
        "GIT_CONFIG_GLOBAL": str(place),
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "XDG_STATE_HOME": str(folder / ".state"),
    }


def machine(folder: Path) -> str:
    """What figures were taken on, in words."""
    git = subprocess.run(["git", "version"], capture_output=True, check=True, text=True)
    versions = f"{git.stdout.replace(' version', '').strip()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} processors, {platform.system()}, {_file_system(folder)}, {versions}"


def _file_system(folder: Path) -> str:
    mounts = psutil.disk_partitions(all=True)
    holders = [mount for mount in mounts if folder.resolve().is_relative_to(mount.mountpoint)]
    return max(holders, key=lambda mount: len(mount.mountpoint)).fstype if holders else "-"


def _say(what: str) -> None:
    print(f"measuring {what} …", file=sys.stderr, flush=True)
