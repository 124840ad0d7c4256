"""Charts as SVG, readable on light and on dark pages. All scales are logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH = 760
_LABEL = 190
_RIGHT = 60
_BAR = 13
_GAP = 16
_TOP = 64

_STYLE = """
.paper { fill: #ffffff } .text { fill: #1f2328; font: 12px sans-serif } .title { font-weight: bold }
.quiet { fill: #59636e } .grid { stroke: #d1d9e0 }
.s0 { fill: #1a7f37; stroke: #1a7f37 } .s1 { fill: #bc4c00; stroke: #bc4c00 }
.s2 { fill: #8250df; stroke: #8250df } .s3 { fill: #8c959f; stroke: #8c959f }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } .text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
  .s0 { fill: #3fb950; stroke: #3fb950 } .s1 { fill: #f0883e; stroke: #f0883e }
  .s2 { fill: #ab7df8; stroke: #ab7df8 } .s3 { fill: #7d8590; stroke: #7d8590 }
  .line { fill: none }
}
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a number lies between two places, by its logarithm."""

    lowest: float
    highest: float
    start: float
    end: float

    def __call__(self, number: float) -> float:
        low, high = math.log10(self.lowest), math.log10(self.highest)
        share = (math.log10(max(number, self.lowest)) - low) / ((high - low) or 1)
        return self.start + share * (self.end - self.start)

    @property
    def marks(self) -> list[float]:
        """The powers of ten on it."""
        first, last = math.ceil(math.log10(self.lowest)), math.floor(math.log10(self.highest))
        return [10.0**power for power in range(first, last + 1)]


def bars(title: str, series: Sequence[str], groups: Mapping[str, Sequence[float | None]]) -> str:
    """A group of bars for each name, one bar for each of the series, in milliseconds."""
    numbers = [number for group in groups.values() for number in group if number]
    scale = Scale(_below(min(numbers)), _above(max(numbers)), _LABEL, WIDTH - _RIGHT)
    parts, y = [], float(_TOP)
    for name, group in groups.items():
        shown = [(index, number) for index, number in enumerate(group) if number]
        middle = y + len(shown) * _BAR / 2 + 4
        parts.append(_text(_LABEL - 10, middle, name, anchor="end"))
        for index, number in shown:
            width = max(1.0, scale(number) - _LABEL)
            parts.append(_rect(_LABEL, y, width, _BAR - 2, f"s{index}"))
            parts.append(_text(_LABEL + width + 5, y + _BAR - 3, _number(number), "quiet"))
            y += _BAR
        y += _GAP
    grid = [_mark(scale, mark, _TOP - 6, y) for mark in scale.marks]
    return _svg(int(y) + 24, title, series, [*grid, *parts])


Lines = dict[str, list[tuple[float, float | None]]]


def panels(title: str, series: Sequence[str], charts: Mapping[str, Lines]) -> str:
    """Small charts in two columns: lines of milliseconds over the number of files."""
    points = [
        point for lines in charts.values() for line in lines.values() for point in line if point[1]
    ]
    lowest, highest = _below(min(y for _, y in points if y)), _above(max(y for _, y in points if y))
    sizes = sorted({x for x, _ in points})
    parts: list[str] = []
    for number, (name, lines) in enumerate(charts.items()):
        left, top = 50 + number % 2 * (WIDTH // 2), _TOP + 20 + number // 2 * 215
        across = Scale(sizes[0], sizes[-1], left, left + WIDTH // 2 - 90)
        up = Scale(lowest, highest, top + 150, top)
        parts.append(_text(left, top - 8, name, "title"))
        parts += _axes(across, up, sizes)
        for index, one in enumerate(series):
            parts += _line(lines.get(one, []), across, up, f"s{index}")
    rows = math.ceil(len(charts) / 2)
    return _svg(_TOP + rows * 215, title, series, parts)


def _axes(across: Scale, up: Scale, sizes: Sequence[float]) -> Iterator[str]:
    for mark in up.marks:
        y = up(mark)
        yield f'<line class="grid" x1="{across.start}" y1="{y:.1f}" x2="{across.end}" y2="{y:.1f}"/>'
        yield _text(across.start - 6, y + 4, _number(mark), "quiet", anchor="end")
    for size in sizes:
        yield _text(across(size), up.start + 18, f"{size:,.0f}", "quiet", anchor="middle")


def _line(
    points: Sequence[tuple[float, float | None]], across: Scale, up: Scale, kind: str
) -> Iterator[str]:
    places = [(across(x), up(y)) for x, y in points if y]
    if places:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline class="{kind} line" points="{path}"/>'
    for x, y in places:
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def _svg(height: int, title: str, series: Sequence[str], parts: Sequence[str]) -> str:
    legend, x = [], 20.0
    for index, name in enumerate(series):
        legend += [_rect(x, 33, 10, 10, f"s{index}"), _text(x + 15, 42, name)]
        x += 40 + 7 * len(name)
    body = "\n".join([_text(20, 20, title, "title"), *legend, *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>\n{body}\n</svg>\n'
    )


def _mark(scale: Scale, mark: float, top: float, bottom: float) -> str:
    x = scale(mark)
    line = f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>'
    return line + _text(x, bottom + 12, f"{_number(mark)} ms", "quiet", anchor="middle")


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"/>'


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="text {kind}" {place}>{escape(text)}</text>'


def _number(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _below(number: float) -> float:
    """The power of ten below; of less than a millisecond nobody wants to see a chart."""
    return max(1.0, float(10.0 ** math.floor(math.log10(number))))


def _above(number: float) -> float:
    return float(10.0 ** math.ceil(math.log10(number * 1.01)))
