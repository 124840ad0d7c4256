"""What a reviewer answers, in every way in which models answer, and in some in which they should not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.review.answer import MOST_CHARACTERS, MOST_FINDINGS, load_json, read, tidied
from sideshoot.review.findings import Finding, Review, Severity, Verdict
from support.reviewing import answer, finding

ONE = answer(finding("one"))


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"\ufeff{ONE}\n",
        f"```json\n{ONE}\n```",
        f"  ```\n{json.dumps(json.loads(ONE), indent=2)}\n```  ",
        f"~~~json\n{ONE}\n~~~",
        f"```json\r\n{ONE}\r\n```\r\n",
    ],
    ids=["pure", "bom", "fence", "indented", "tildes", "crlf"],
)
def test_an_object_alone_is_the_review(text: str) -> None:
    review = read(text)
    assert review.verdict is Verdict.NEEDS_ATTENTION
    assert [found.title for found in review.findings] == ["one"]
    assert (review.summary, review.prose, review.notes) == ("Wet.", "", ())


def test_words_around_the_object_are_kept() -> None:
    review = read(f"I could not run {{the}} tests.\n\n```json\n{ONE}\n```\nGood luck.")
    assert [found.title for found in review.findings] == ["one"]
    assert review.prose == "I could not run {the} tests.\n\nGood luck."


def test_of_two_objects_the_last_counts() -> None:
    review = read(f"First thought: {answer(finding('draft'))}\nOn reflection: {ONE}")
    assert [found.title for found in review.findings] == ["one"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("All is well.", "not in the form of findings"),
        ("", "not in the form of findings"),
        ('{"tool": "read", "path": "x"}', "without a list of `findings`"),
        ('{"findings": "none"}', "without a list of `findings`"),
        ("[1, 2]", "not in the form of findings"),
        (ONE[:-3], "not in the form of findings"),
        ('{"a":' * 100_000, "not in the form of findings"),
        ("[" * 200_000, "not in the form of findings"),
        (" " * MOST_CHARACTERS + ONE, "too long"),
    ],
    ids=["words", "empty", "tool", "no list", "list", "cut", "deep", "deep list", "long"],
)
def test_anything_else_is_prose_and_says_so(text: str, why: str) -> None:
    review = read(text)
    assert review.is_prose
    assert review.prose == text.strip()
    (note,) = review.notes
    assert why in note


def test_many_open_braces_take_no_time() -> None:
    assert read('{"a": [1, ' * 90_000).is_prose


def test_the_worst_come_first_and_equals_keep_their_order() -> None:
    given = [("a", "low"), ("b", "critical"), ("c", "medium"), ("d", "low"), ("e", "high")]
    found = read(answer(*(finding(title, severity=severity) for title, severity in given)))
    assert "".join(one.title for one in found.findings) == "becad"


@pytest.mark.parametrize(
    ("said", "meant", "notes"),
    [
        ("HIGH", "high", 0),
        ("P0", "critical", 0),
        ("nit", "low", 0),
        ("catastrophic", "low", 1),
        (None, "low", 1),
        (7, "low", 1),
    ],
)
def test_other_words_for_a_severity(said: Any, meant: str, notes: int) -> None:
    review = read(answer(finding(severity=said)))
    assert review.findings[0].severity == meant
    assert len(review.notes) == notes


@pytest.mark.parametrize(
    ("first", "last", "meant"),
    [
        (3, 5, (3, 5)),
        (5, 3, (5, 5)),
        ("3", "5", (3, 5)),
        (3.0, None, (3, 3)),
        (None, 5, (5, 5)),
        (-1, 0, (0, 0)),
        (True, [], (0, 0)),
        (1e400, 10**30, (0, 0)),
        ("²", "9" * 5000, (0, 0)),
    ],
)
def test_lines_of_every_kind(first: Any, last: Any, meant: tuple[int, int]) -> None:
    (found,) = read(answer(finding(line_start=first, line_end=last))).findings
    assert (found.line_start, found.line_end) == meant


@pytest.mark.parametrize(
    ("said", "meant"), [(0, 0.0), (1, 1.0), (0.25, 0.25), (80, None), ("high", None), (True, None)]
)
def test_a_confidence_is_from_0_to_1_or_none(said: Any, meant: float | None) -> None:
    assert read(answer(finding(confidence=said))).findings[0].confidence == meant


def test_numbers_that_json_does_not_have() -> None:
    text = (
        answer(finding()).replace("0.9", "NaN").replace('"line_start": 1', '"line_start": Infinity')
    )
    (found,) = read(text).findings
    assert (found.confidence, found.line_start) == (None, 1)


def test_findings_that_are_none_are_shown_all_the_same() -> None:
    text = json.dumps({"findings": ["it leaks\nbadly", 7, {}, None, {"odd": 1}]})
    review = read(text)
    assert [one.title for one in review.findings] == [
        "it leaks", "7", "Finding 3", "Finding 4", "Finding 5",
    ]  # fmt: skip
    assert review.verdict is Verdict.NEEDS_ATTENTION


@pytest.mark.parametrize(
    ("said", "findings", "meant"),
    [
        ("approve", (), "approve"),
        ("Approved", (), "approve"),
        ("needs_attention", (), "needs-attention"),
        ("reject", (), "needs-attention"),
        ("", (), "approve"),
        (None, ({},), "needs-attention"),
    ],
)
def test_other_words_for_a_verdict(said: Any, findings: tuple[Any, ...], meant: str) -> None:
    assert read(json.dumps({"verdict": said, "findings": findings})).verdict == meant


def test_too_many_findings_are_counted() -> None:
    review = read(answer(*[{"title": "x", "severity": "low"}] * (MOST_FINDINGS + 5)))
    assert len(review.findings) == MOST_FINDINGS
    assert review.notes == ("5 further findings are left out",)


def test_halves_of_characters_do_not_come_through() -> None:
    found = read(answer(finding("a\ud800b", file="\udcffx\ud800"), summary="\udfff"))
    assert found.summary == "\ufffd"
    assert (found.findings[0].title, found.findings[0].file) == ("a\ufffdb", "\\xffx\ufffd")


def test_a_review_that_was_read_elsewhere_gets_the_same_bounds() -> None:
    odd = Finding(Severity.LOW, "a\nb\ud800", "\ud800", "\udcfe", -1, 10**30, 7.0)
    review = tidied(Review(Verdict.APPROVE, "\ud800", (odd, odd)))
    assert review.findings[0] == Finding(Severity.LOW, "a b\ufffd", "\ufffd", "\\xfe", 0, 0, None)


def test_json_that_is_too_deep_is_no_value() -> None:
    with pytest.raises(ValueError, match="too deep"):
        load_json("[" * 200_000)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["verdict", "summary", "findings", "next_steps", "severity", "title", "body", "file",
             "line_start", "line_end", "confidence", "recommendation"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@given(ANYTHING, st.text(max_size=30), st.text(max_size=30))
def test_no_answer_is_an_error(value: Any, before: str, after: str) -> None:
    review = read(before + json.dumps(value) + after)
    assert review.is_prose == (review.verdict is None)
    for found in review.findings:
        assert found.title
        assert 0 <= found.line_start <= found.line_end
    repr(review).encode("utf-8")  # nothing in it that no file could take


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert read(text).verdict in (None, *Verdict)
