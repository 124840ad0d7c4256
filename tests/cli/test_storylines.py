"""Events as lines."""

from __future__ import annotations

from typing import Any

import pytest

from sideshoot.agents.base import EventKind
from sideshoot.cli.storylines import LONGEST_LINE, output_bytes, story_lines


@pytest.mark.parametrize(
    ("kind", "data", "lines"),
    [
        ("message", {"text": "one\ntwo", "final": True}, ["one", "two"]),
        ("reasoning", {"text": "\n**Plan**\nmore"}, ["thinks: **Plan**"]),
        ("command", {"command": "pytest -q", "status": "started"}, ["$ pytest -q"]),
        ("command", {"command": "pytest", "status": "finished", "exit_status": 0}, []),
        (
            "command",
            {"command": "pytest", "status": "finished", "exit_status": 1},
            ["exit 1: pytest"],
        ),
        ("command", {"command": "cat <<E\nlong\nE", "status": "started"}, ["$ cat <<E"]),
        ("file_change", {"paths": ["a", "b"]}, ["edits a, b"]),
        ("file_change", {"paths": list("abcdefg")}, ["edits a, b, c, d, e and 2 more"]),
        ("tool", {"name": "search", "status": "started", "detail": "x"}, ["uses search x"]),
        ("tool", {"name": "search", "status": "failed"}, ["uses search (failed)"]),
        ("tool", {"name": "search", "status": "completed"}, []),
        (
            "plan",
            {"steps": [{"text": "a", "status": "completed"}, {"text": "b"}]},
            ["[x] a", "[ ] b"],
        ),
        ("warning", {"text": "low on disk"}, ["warning: low on disk"]),
        ("error", {"text": "lost"}, ["error: lost"]),
        ("usage", {"total_tokens": 5}, []),
        ("a kind of tomorrow", {"text": "x"}, []),
    ],
)
def test_tells_what_happened(kind: str, data: dict[str, Any], lines: list[str]) -> None:
    assert story_lines(kind, data) == lines


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("data", [{}, {"text": None, "paths": [], "steps": ["odd"], "command": 5}])
def test_incomplete_events_are_no_error(kind: EventKind, data: dict[str, Any]) -> None:
    assert isinstance(story_lines(kind, data), list)


def test_a_command_is_one_short_printable_line() -> None:
    (line,) = story_lines("command", {"command": "echo \x1b[2J" + "x" * 500, "status": "started"})
    assert len(line) <= LONGEST_LINE + 2
    assert "\x1b" not in line


def test_output_comes_back_byte_for_byte() -> None:
    assert output_bytes({"stream": "stdout", "text": "é\n"}) == b"\xc3\xa9\n"
    assert output_bytes({"text": "", "base64": "//4="}) == b"\xff\xfe"
