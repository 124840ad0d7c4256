"""What Sideshoot has set itself, as ratios from one run, and whether this run reached it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import commands, steps
from benchmarks.figures import GIT, PLUGINS, SIDESHOOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.run import Results

GROWTH_FROM = 5_000
"""The size whose `keep` that of the largest is compared with."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that is to stay below a limit."""

    what: str
    measured: float | None
    """`None` where this version, or this run, does not have it."""
    limit: float
    unit: str = ""
    """`ms`; without one it is a ratio."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """What is meant, the figure, the limit, and whether it was reached."""
        limit = f"{self.limit:g} {self.unit}".strip()
        if self.measured is None:
            return self.what, "-", limit, "not measured"
        figure = f"{self.measured:.0f} {self.unit}" if self.unit else f"{self.measured:.2f}"
        return self.what, figure, limit, "yes" if self.measured <= self.limit else "NO"


def goals(results: Results) -> list[Goal]:
    """Each goal, at the size that is nearest to the one it speaks of."""
    return [*_of_steps(results), *_of_commands(results)]


def _of_steps(results: Results) -> Iterator[Goal]:
    size = results.size_like(50_000)
    figures, at = results.steps[size], f"at {size:,} files"
    yield Goal(f"open {at}, to `git worktree add`", figures.ratio(steps.OPEN, GIT), 0.3)
    pooled = figures.ratio(steps.POOLED, GIT)
    yield Goal(f"open from the pool {at}, to `git worktree add`", pooled, 0.06)
    yield Goal(f"capture {at}, to `git status`", figures.ratio(steps.CAPTURE, GIT), 1.2)
    yield Goal(
        f"keep {at}, to `add -A`, `diff --cached --binary`, `apply --index`",
        figures.ratio(steps.KEEP, PLUGINS),
        0.6,
    )
    yield _growth(results)
    largest = max(results.steps)
    taken = results.steps[largest].ms(steps.DISCARD, SIDESHOOT)
    yield Goal(f"discard at {largest:,} files", taken, 50, "ms")


def _growth(results: Results) -> Goal:
    small, large = results.size_like(GROWTH_FROM), max(results.steps)
    ours = [results.steps[size].ms(steps.KEEP, SIDESHOOT) for size in (small, large)]
    before, after = ours
    grown = after / before if after and before and small != large else None
    return Goal(f"keep at {large:,} files, to keep at {small:,}", grown, 3)


def _of_commands(results: Results) -> Iterator[Goal]:
    crowd = results.crowd
    yield Goal(
        f"{crowd.count} jobs at once, to {crowd.count} in turn",
        crowd.at_once_ms / crowd.in_turn_ms,
        1,
    )
    yield Goal(f"failures of {crowd.count} jobs at once", crowd.failures, 0, "jobs")
    whole, script = (results.run.ms(commands.RUN, way) for way in (SIDESHOOT, GIT))
    assert whole is not None
    assert script is not None
    own = whole - script
    yield Goal("`run -- true` without what its git commands take in a script", own, 120, "ms")
    yield Goal("the same, to what these git commands take", own / script, 1.3)
