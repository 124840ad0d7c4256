"""What Codex says, in the words that all agents share."""

from __future__ import annotations

from typing import Any

import pytest

from sideshoot.agents.base import EventKind
from sideshoot.agents.codex.faults import explain
from sideshoot.agents.codex.items import event_of


@pytest.mark.parametrize(
    ("item", "kind", "data"),
    [
        (
            {"type": "mcpToolCall", "server": "shed", "tool": "rake", "status": "completed"},
            EventKind.TOOL,
            {"name": "shed/rake", "status": "completed", "detail": ""},
        ),
        (
            {
                "type": "mcpToolCall",
                "server": "shed",
                "tool": "rake",
                "status": "failed",
                "error": {"message": "broken"},
            },
            EventKind.TOOL,
            {"name": "shed/rake", "status": "failed", "detail": "broken"},
        ),
        (
            {"type": "webSearch", "query": "roses"},
            EventKind.TOOL,
            {"name": "web search", "status": "finished", "detail": "roses"},
        ),
        (
            {"type": "commandExecution", "command": "/bin/zsh -lc 'a \"b\" | c'", "exitCode": 2},
            EventKind.COMMAND,
            {"command": 'a "b" | c', "status": "finished", "exit_status": 2},
        ),
        (
            {"type": "commandExecution", "command": "it's odd", "status": "declined"},
            EventKind.COMMAND,
            {"command": "it's odd", "status": "finished", "exit_status": None, "declined": True},
        ),
        (
            {
                "type": "fileChange",
                "changes": [{"path": "/top/a/b"}, {"path": "/topless/c"}],
                "status": "completed",
            },
            EventKind.FILE_CHANGE,
            {"paths": ["a/b", "/topless/c"], "status": "completed"},
        ),
        (
            {"type": "agentMessage", "text": "done", "phase": "final_answer"},
            EventKind.MESSAGE,
            {"text": "done", "final": True},
        ),
        (
            {"type": "reasoning", "summary": ["one", "two"]},
            EventKind.REASONING,
            {"text": "one\n\ntwo"},
        ),
        ({"type": "new"}, EventKind.RAW, {"payload": {"type": "new"}}),
        ({}, EventKind.RAW, {"payload": {}}),
    ],
)
def test_items(item: dict[str, Any], kind: EventKind, data: dict[str, Any]) -> None:
    event = event_of(item, "/top/", finished=True)
    assert event is not None
    assert (event.kind, event.data) == (kind, data)


@pytest.mark.parametrize("kind", ["userMessage", "hookPrompt", "reasoning"])
def test_items_that_tell_nothing(kind: str) -> None:
    assert event_of({"type": kind}, "/top/", finished=True) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "x", "codexErrorInfo": "unauthorized"}, "codex login"),
        ({"message": "x", "codexErrorInfo": {"a": {"httpStatusCode": 403}}}, "codex login"),
        ({"message": "x", "codexErrorInfo": "usageLimitExceeded"}, "usage limit"),
        ({"message": "x", "codexErrorInfo": {"a": {"httpStatusCode": 503}}}, "provider failed"),
        ({"message": "x", "codexErrorInfo": {"a": {"httpStatusCode": None}}}, "x"),
        ({"message": "x", "codexErrorInfo": {"a": None}}, "x"),
        ({"message": "x", "codexErrorInfo": ["odd"]}, "x"),
        ({"message": "two\n  lines", "codexErrorInfo": "other"}, "two lines"),
        ({}, "no reason"),
        (None, "no reason"),
        ("words", "words"),
    ],
)
def test_faults_are_one_line(error: Any, words: str) -> None:
    said = explain(error)
    assert words in said
    assert "\n" not in said


def test_a_long_fault_is_cut() -> None:
    assert len(explain({"message": "x" * 10_000})) < 500
