"""JSON: all that is known of a review."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from sideshoot.review.forms.as_json import render
from support.findings import ODD_PATHS, REVIEWS, found, review


def test_a_review() -> None:
    assert json.loads(render(review(found(line_start=0, line_end=0, confidence=None)))) == {
        "verdict": "needs-attention",
        "summary": "Wet.",
        "findings": [
            {
                "number": 1,
                "severity": "high",
                "title": "It leaks",
                "body": "When it rains.",
                "file": "src/app.py",
                "line_start": None,
                "line_end": None,
                "confidence": None,
                "recommendation": "Mend it.",
                "doubt": "",
            }
        ],
        "next_steps": [],
        "prose": "",
        "notes": [],
    }


@pytest.mark.parametrize("path", ODD_PATHS)
def test_the_bytes_of_a_name_are_there(path: bytes) -> None:
    (one,) = json.loads(render(review(found(path=path))))["findings"]
    encoded = one.get("file_base64")
    assert (base64.b64decode(encoded) if encoded else one["file"].encode()) == path


@given(REVIEWS)
def test_every_review_is_json(given: Any) -> None:
    read = json.loads(render(given))
    assert [one["title"] for one in read["findings"]] == [one.title for one in given.findings]
