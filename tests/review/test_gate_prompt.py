"""The reviewer of a turn: what it is asked, and what its answer means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.review.gate_prompt import MOST_OF_MESSAGE, gate_prompt, read_ruling
from sideshoot.review.material import Material
from sideshoot.review.target import Target


@pytest.mark.parametrize(
    ("text", "allows", "reason"),
    [
        ('{"verdict": "ALLOW", "reason": "fine"}', True, "fine"),
        ('{"verdict": "BLOCK", "reason": "app.py:3 leaks"}', False, "app.py:3 leaks"),
        ('Well.\n```json\n{"verdict": "block"}\n```', False, ""),
        ("ALLOW: nothing was edited", True, "nothing was edited"),
        ("BLOCK: app.py:3 leaks\nbadly", False, "app.py:3 leaks\nbadly"),
        ("**BLOCK** - it leaks", False, "it leaks"),
        ("\n  ALLOW", True, ""),
        ('{"verdict": "BLOCK", "reason": 7}', False, "7"),
    ],
)
def test_answers(text: str, allows: bool, reason: str) -> None:
    assert read_ruling(text) == (allows, reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would allow it.",
        "ALLOWED",
        "blocking",
        '{"verdict": "maybe"}',
        "[" * 100_000,
        "{" * 9,
    ],
)
def test_answers_that_decide_nothing(text: str) -> None:
    assert read_ruling(text) is None


@given(st.text())
def test_no_answer_is_an_error(text: str) -> None:
    read_ruling(text)
    read_ruling(json.dumps({"verdict": text, "reason": [text]}))


def test_a_long_message_is_shown_by_its_end() -> None:
    target = Target("x", "1" * 40, "2" * 40, ())
    message = "begin" + "x" * MOST_OF_MESSAGE + "end"
    told = gate_prompt(target, Material("M app.py", "", True), message, has_shell=True)
    assert "end\n" in told
    assert "begin" not in told
    assert "M app.py" in told
