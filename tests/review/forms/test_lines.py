"""A line for each finding, as editors take it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from sideshoot.review.forms.lines import render
from support.findings import ODD_PATHS, REVIEWS, found, review


def test_a_finding_is_a_line() -> None:
    two = review(found(), found("It\nbreaks", line_start=0, path=None, doubt="no such file"))
    assert render(two) == (
        "src/app.py:3: high: It leaks\nsrc/app.py:1: high: It breaks (no such file)\n"
    )


def test_a_finding_without_a_file_has_no_place() -> None:
    assert render(review(found(file="", path=None))) == "high: It leaks\n"


@pytest.mark.parametrize("path", ODD_PATHS)
def test_no_name_breaks_a_line(path: bytes) -> None:
    assert render(review(found(path=path))).count("\n") == 1


@given(REVIEWS)
def test_there_are_as_many_lines_as_findings(given: Any) -> None:
    lines = render(given).splitlines()
    assert len(lines) == len(given.findings)
    assert all(line.isprintable() for line in lines)
