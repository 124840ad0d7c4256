"""Findings on a terminal: wrapped, the worst first, and nothing in them that steers it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.cli.columns import width
from sideshoot.cli.findings import finding_lines, wrapped
from support.findings import ODD_PATHS, REVIEWS, found, review


def plain(text: str, colour: str) -> str:
    return text


def bright(text: str, colour: str) -> str:
    return f"<{colour}>{text}</{colour}>"


def shown(given: Any, columns: int = 80) -> str:
    return "\n".join(finding_lines(given, columns=columns, paint=plain))


def test_a_review() -> None:
    given = review(found(), found("Bad", doubt="gone", confidence=None), next_steps=("Dry it",))
    assert shown(given) == (
        "needs attention: 2 findings\nWet.\n\n"
        "1. high: It leaks\n   src/app.py:3-4, confidence 0.9\n   When it rains.\n   Fix: Mend it.\n\n"
        "2. high: Bad\n   src/app.py:3-4 (gone)\n   When it rains.\n   Fix: Mend it.\n\n"
        "next steps\n  - Dry it"
    )


def test_colours_are_only_where_they_belong() -> None:
    lines = [*finding_lines(review(found("high")), columns=80, paint=bright)]
    assert "1. <red>high</red>: high" in lines


def test_an_answer_in_prose_says_that_it_is() -> None:
    assert (
        shown(review(verdict=None, summary="", prose="Fine.", notes=("n",))) == "note: n\n\nFine."
    )


@pytest.mark.parametrize("columns", [20, 80, 120])
def test_long_lines_are_wrapped_and_code_is_not(columns: int) -> None:
    code = "    " + "x = 1; " * 40
    body = f"{'word ' * 80}\n\n```\n{code}\n```\n{'語' * 10} {'語' * 30}"
    text = shown(review(found("title " * 30, body=body)), columns)
    assert f"   {code.rstrip()}" in text
    for line in text.splitlines():
        assert width(line) <= max(columns, 33) or "x = 1" in line or "語" in line


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_name_stays_on_its_line(path: bytes) -> None:
    finding = found(path=path)
    assert f"   {finding.place}, confidence" in shown(review(finding))


def test_what_steers_a_terminal_is_spelled_out() -> None:
    text = shown(review(found("a\x1b[31mb\x07", body="c\x1b]0;x\x07\x9b2J\rd\u202ee")))
    assert "a\\x1b[31mb\\x07" in text
    assert "\\u202ee" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


@given(REVIEWS, st.integers(1, 130))
def test_nothing_that_was_said_reaches_the_terminal_raw(given: Any, columns: int) -> None:
    assert all(letter.isprintable() or letter == "\n" for letter in shown(given, columns))


@given(st.text(st.characters(categories=["L", "N"]) | st.just(" "), max_size=300))
def test_no_word_is_lost(text: str) -> None:
    assert " ".join(wrapped(text, 40)).split() == text.split()
