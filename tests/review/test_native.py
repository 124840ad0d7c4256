"""What Codex's own reviewer answers, in both of its forms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sideshoot.model import Job, JobId, Request
from sideshoot.review.native import read_reviewer

JOB = Job(JobId("k3fw9t"), Request("codex"), target="/garden")


def finding(**facts: Any) -> dict[str, Any]:
    plain = {
        "title": "[P1] Wrong",
        "body": "It is.\n\nVery.",
        "confidence_score": 0.8,
        "priority": 1,
        "code_location": {
            "absolute_file_path": "/garden/src/app.py",
            "line_range": {"start": 3, "end": 4},
        },
    }
    return plain | facts


def answer(*findings: dict[str, Any], verdict: str = "patch is incorrect") -> str:
    return json.dumps(
        {
            "findings": findings,
            "overall_correctness": verdict,
            "overall_explanation": "All in all.",
            "overall_confidence_score": 0.7,
        }
    )


def test_the_json_of_the_reviewer() -> None:
    review = read_reviewer(JOB, answer(finding()))
    assert review is not None
    assert (review.verdict, review.summary) == ("needs-attention", "All in all.")
    (found,) = review.findings
    assert (found.severity, found.title, found.body) == ("high", "Wrong", "It is.\n\nVery.")
    assert (found.file, found.line_start, found.line_end) == ("src/app.py", 3, 4)
    assert found.confidence == 0.8


def test_a_patch_that_is_correct_is_approved() -> None:
    review = read_reviewer(JOB, answer(verdict="patch is correct"))
    assert review is not None
    assert (review.verdict, review.findings) == ("approve", ())


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"priority": 0}, "critical"),
        ({"priority": 2}, "medium"),
        ({"priority": 3}, "low"),
        ({"priority": 9}, "low"),
        ({"priority": None}, "high"),  # which the title says
        ({"priority": None, "title": "Wrong"}, "medium"),
    ],
)
def test_priorities_are_severities(facts: dict[str, Any], severity: str) -> None:
    review = read_reviewer(JOB, answer(finding(**facts)))
    assert review is not None
    assert (review.findings[0].severity, review.findings[0].title) == (severity, "Wrong")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/garden/app.py", "app.py"),
        ("/garden/.worktrees/k3fw9t/src/app.py", "src/app.py"),
        ("/garden/.worktrees/k3fw9t2/app.py", "app.py"),
        ("/elsewhere/k3fw9t/app.py", "app.py"),
        ("/gardens/app.py", "/gardens/app.py"),
        ("src/app.py", "src/app.py"),
    ],
)
def test_files_are_named_from_the_top(path: str, file: str) -> None:
    place = {"absolute_file_path": path, "line_range": {"start": 1, "end": 1}}
    review = read_reviewer(JOB, answer(finding(code_location=place)))
    assert review is not None
    assert review.findings[0].file == file


TEXT = """\
All in all.

More of it.

Full review comments:

- [P0] Wrong — and how — /garden/my file.py:3-4
  It is.

  - a list:5-6
    deeper

- Also wrong — /garden/app.py:10-10
  Yes."""


def test_the_text_that_codex_makes_of_it() -> None:
    review = read_reviewer(JOB, TEXT)
    assert review is not None
    assert (review.verdict, review.summary) == ("needs-attention", "All in all.\n\nMore of it.")
    one, two = review.findings
    assert (one.severity, one.title) == ("critical", "Wrong — and how")
    assert (one.file, one.line_start, one.line_end) == ("my file.py", 3, 4)
    assert one.body == "It is.\n\n- a list:5-6\n  deeper"
    assert (two.severity, two.title, two.body) == ("medium", "Also wrong", "Yes.")
    assert two.confidence is None


def test_one_comment_has_another_heading() -> None:
    review = read_reviewer(JOB, "Review comment:\n\n- Wrong — /garden/app.py:1-2\n  Yes.")
    assert review is not None
    assert (review.summary, len(review.findings)) == ("", 1)


@pytest.mark.parametrize(
    "text",
    [
        "I see nothing wrong.",
        "Reviewer failed to output a response.",
        "Review comment:\n\nnone",
        "[]",
        "null",
        '{"findings": [{}], "overall_correctness": "patch is correct"}',
        '{"verdict": "approve", "summary": "", "findings": [], "next_steps": []}',
        '{"findings": 3, "overall_correctness": ""}',
    ],
)
def test_what_has_another_form_is_left_to_others(text: str) -> None:
    assert read_reviewer(JOB, text) is None
