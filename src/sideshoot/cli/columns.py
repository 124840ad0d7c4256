"""Text in columns: how wide it is on a terminal, and how it is cut to fit."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "  "
DEFAULT_COLUMNS = 80


def width(text: str) -> int:
    """How many columns a line takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - rarely needed

    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def pad(text: str, columns: int) -> str:
    """The text with spaces up to `columns`."""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """The text as one printable line of at most `columns`; an ellipsis says that it was longer."""
    line = "".join(c if c.isprintable() else " " for c in text)
    if width(line) <= columns:
        return line
    while line and width(line) > columns - 1:
        line = line[: max(columns - 1, 0)] if line.isascii() else line[:-1]
    return f"{line}…"


def cut_left(text: str, columns: int) -> str:
    """The same from the left, for paths, whose end says most."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 3:
        text = text[1:]
    return f"...{text}"


def table(rows: Sequence[Sequence[str]], *, columns: int) -> Iterable[str]:
    """Lines of aligned cells; the last cell is cut to what is left of `columns`."""
    widths = [max(width(row[n]) for row in rows) for n in range(len(rows[0]) - 1)]
    left = max(columns - sum(widths) - len(GAP) * len(widths), 16)
    for row in rows:
        cells = [pad(cell, size) for cell, size in zip(row, widths, strict=False)]
        yield GAP.join([*cells, cut(row[-1], left)]).rstrip()


def terminal_columns() -> int:
    """How wide the screen is; 80 where nothing says."""
    asked_for = os.environ.get("COLUMNS", "")
    if asked_for.isdecimal() and int(asked_for) > 0:
        return int(asked_for)
    # Standard error too: `sideshoot diff --stat | cat` is still looked at on a screen.
    for descriptor in (1, 2):
        with suppress(OSError):
            return os.get_terminal_size(descriptor).columns or DEFAULT_COLUMNS
    return DEFAULT_COLUMNS
