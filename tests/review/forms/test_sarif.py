"""SARIF: what the published schema demands, and what editors and code hosts make of it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from jsonschema import Draft4Validator

from sideshoot.review.findings import Severity
from sideshoot.review.forms.sarif import document, render
from support.findings import ODD_PATHS, REVIEWS, found, review

SCHEMA = Path(__file__).parent.parent / "schemas" / "sarif-schema-2.1.0.json"


@cache
def validator() -> Any:
    return Draft4Validator(json.loads(SCHEMA.read_text()))


def location(written: dict[str, Any]) -> Any:
    return written["runs"][0]["results"][0]["locations"][0]["physicalLocation"]


@given(REVIEWS)
def test_every_review_meets_the_published_schema(given: Any) -> None:
    validator().validate(json.loads(render(given)))


def test_the_schema_refuses_what_is_none() -> None:
    written = document(review(found()))
    written["runs"][0]["results"][0]["level"] = "catastrophic"
    assert not validator().is_valid(written)


def test_a_finding_is_a_result_beside_the_code() -> None:
    written = document(review(found(severity=Severity.MEDIUM)))
    (run,) = written["runs"]
    (result,) = run["results"]
    assert result["message"]["text"] == "It leaks\n\nWhen it rains.\n\nMend it."
    assert (result["level"], result["rank"]) == ("warning", 90.0)
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "review/medium"
    assert location(written) == {
        "artifactLocation": {"uri": "src/app.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "endLine": 4},
    }
    assert "%SRCROOT%" in run["originalUriBaseIds"]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_names_are_percent_encoded(path: bytes) -> None:
    uri = location(document(review(found(path=path))))["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", uri)
    assert unquote_to_bytes(uri) == path.lstrip(b"/")
    assert urlsplit(uri)[:2] == ("", "")  # neither a scheme nor a host


def test_a_finding_without_lines_or_file() -> None:
    nowhere = found(line_start=0, line_end=0)
    assert "region" not in location(document(review(nowhere)))
    assert "locations" not in document(review(found(file="", path=None)))["runs"][0]["results"][0]


def test_a_doubt_is_told() -> None:
    (result,) = document(review(found(path=None, doubt="no such file")))["runs"][0]["results"]
    assert result["message"]["text"].endswith("(src/app.py:3-4: no such file)")
    assert result["properties"]["doubt"] == "no such file"


def test_prose_is_a_run_without_results_that_says_so() -> None:
    (run,) = document(review(verdict=None, prose="All well.", notes=("it is prose",)))["runs"]
    assert run["results"] == []
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "it is prose"
    assert run["properties"]["prose"] == "All well."
