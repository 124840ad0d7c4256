"""The tables of a run, for a terminal and for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import FLOOR, GIT, PLUGINS, SIDESHOOT
from benchmarks.goals import goals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Figures
    from benchmarks.run import Results

WAYS = {SIDESHOOT: "Sideshoot", GIT: "git", PLUGINS: "plugins", FLOOR: "floor"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; names to the left, numbers to the right."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """In columns as wide as they have to be."""
        table = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [self.title, "=" * len(self.title)]
        for name, *numbers in table:
            cells = [name.ljust(widths[0])]
            cells += [text.rjust(width) for text, width in zip(numbers, widths[1:], strict=True)]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def markdown(self) -> str:
        """As GitHub's Markdown has it."""
        rule = ["---", *["--:"] * (len(self.headings) - 1)]
        return "\n".join(f"| {' | '.join(row)} |" for row in [self.headings, rule, *self.rows])


def goal_table(results: Results) -> Table:
    rows = [goal.cells for goal in goals(results)]
    return Table("goals", ("", "measured", "at most", "reached"), rows)


def step_tables(results: Results) -> list[Table]:
    """The steps of a job, one table for each size."""
    return [_compared(f"{size:,} files, in ms", figures) for size, figures in results.steps.items()]


def command_table(results: Results) -> Table:
    """What whole commands take."""
    crowd = results.crowd
    table = _compared("whole commands, in ms", results.run, results.commands, results.equipped)
    many = [
        (f"{crowd.count} jobs in turn", f"{crowd.in_turn_ms:.0f}", *["-"] * 5),
        (f"{crowd.count} jobs at once", f"{crowd.at_once_ms:.0f}", *["-"] * 5),
    ]
    return Table(table.title, table.headings, [*table.rows, *many])


def _compared(title: str, *all_figures: Figures) -> Table:
    headings = ("", *WAYS.values(), "to git", "to plugins")
    rows = [_row(figures, step) for figures in all_figures for step in figures.steps]
    return Table(title, headings, rows)


def _row(figures: Figures, step: str) -> tuple[str, ...]:
    taken = (_shown(figures.ms(step, way), 1) for way in WAYS)
    ratios = (_shown(figures.ratio(step, way), 2) for way in (GIT, PLUGINS))
    return step, *taken, *ratios


def _shown(number: float | None, digits: int) -> str:
    if number is None:
        return "-"
    return f"{number:.0f}" if digits == 1 and number >= 100 else f"{number:.{digits}f}"
