"""What each step took, by who did it."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDESHOOT = "sideshoot"
GIT = "git"
"""The one git command that comes closest to the step."""
PLUGINS = "plugins"
"""The git commands by which plugins for agents in worktrees take the step."""
FLOOR = "floor"
"""What nobody can do without: the bytes that are written, one look at each file, a program's start."""

FEW = 3
"""Rounds that are so long that there are only so many of them need no other one before."""

_PATIENCE_S = 60.0

WAYS = (SIDESHOOT, GIT, PLUGINS, FLOOR)


class Figures:
    """Samples of steps, in seconds. Told are medians, in milliseconds."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], list[float]] = defaultdict(list)

    @property
    def steps(self) -> list[str]:
        """The steps that were measured, in the order in which they first were."""
        return list(dict.fromkeys(step for step, _ in self._taken))

    def rounds(self, count: int, patience_s: float = _PATIENCE_S) -> Iterator[tuple[int, Figures]]:
        """The numbers of rounds, each with where its figures go.

        Before more than a few there is one that warms the caches and is not counted.

        :param patience_s: no further round begins after so long.
        """
        deadline = time.monotonic() + patience_s
        if count > FEW:
            yield -1, Figures()
        for number in range(count):
            yield number, self
            if time.monotonic() > deadline:
                break

    def add(self, step: str, way: str, seconds: float) -> None:
        self._taken[step, way].append(seconds)

    @contextmanager
    def timed(self, *cells: tuple[str, str]) -> Iterator[None]:
        """Take the time of what is done inside; it counts for each of these, a step and a way."""
        start = time.perf_counter()
        yield
        taken = time.perf_counter() - start
        for step, way in cells:
            self.add(step, way, taken)

    def count(self, step: str, way: str) -> int:
        """How often this was measured."""
        return len(self._taken.get((step, way), ()))

    def ms(self, step: str, way: str) -> float | None:
        """The median; `None` if this was not measured."""
        taken = self._taken.get((step, way))
        return 1000 * median(taken) if taken else None

    def ratio(self, step: str, way: str) -> float | None:
        """Sideshoot's median as a multiple of another way's."""
        ours, theirs = self.ms(step, SIDESHOOT), self.ms(step, way)
        return ours / theirs if ours is not None and theirs else None
