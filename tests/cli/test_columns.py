"""Text in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.cli.columns import cut, cut_left, table, terminal_columns, width

if TYPE_CHECKING:
    import pytest


def test_wide_and_combining_characters_count_as_a_terminal_shows_them() -> None:
    assert [width(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]


def test_cuts_to_one_printable_line() -> None:
    assert cut("one\ntwo\x1b[31m three", 40) == "one two [31m three"
    assert cut("a long title", 7) == "a long…"
    assert width(cut("日本語の題名", 6)) <= 6


def test_cuts_paths_from_the_left() -> None:
    assert cut_left("src/deep/down/module.py", 14) == "...n/module.py"
    assert cut_left("short.py", 14) == "short.py"


def test_aligns_cells_and_cuts_the_last() -> None:
    rows = [("A", "B", "TITLE"), ("日本", "x", "a title that is longer than there is room for")]
    lines = list(table(rows, columns=30))
    assert lines[0] == "A     B  TITLE"
    assert lines[1].startswith("日本  x  a title that")
    assert lines[1].endswith("…")
    assert width(lines[1]) <= 30


def test_the_screens_width_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    assert terminal_columns() == 123
