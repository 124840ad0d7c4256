"""Arguments are checked before anything is done, and what is wrong is said in one line."""

from __future__ import annotations

from typing import Any

import pytest

from sideshoot.errors import UsageError
from sideshoot.mcp.catalogue import TOOLS
from sideshoot.mcp.schemas import arguments, check, choice, flag, number, text, texts

SCHEMA = arguments(
    {
        "job": text("The job."),
        "all": flag("All."),
        "way": choice("How.", "stop", "go"),
        "paths": texts("Where."),
        "words": texts("What.", minItems=1),
        "limit": number("How many.", minimum=1),
    },
    required=["job"],
)


def test_arguments_that_fit_come_back() -> None:
    given = {"job": "x", "all": True, "way": "go", "paths": [], "words": ["a"], "limit": 1}
    assert check(given, SCHEMA) == given


def test_null_means_left_out() -> None:
    assert check({"job": "x", "all": None}, SCHEMA) == {"job": "x"}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "the arguments of a tool are an object"),
        ({}, "the argument 'job' is missing: The job."),
        ({"job": None}, "the argument 'job' is missing: The job."),
        ({"jobb": "x"}, "there is no argument 'jobb' (did you mean 'job'?)"),
        ({"job": 7}, "the argument 'job' has to be a text"),
        ({"job": "x", "all": "yes"}, "the argument 'all' has to be true or false"),
        ({"job": "x", "way": "run"}, "the argument 'way' has to be one of stop, go"),
        ({"job": "x", "paths": "a"}, "the argument 'paths' has to be a list"),
        ({"job": "x", "paths": [1]}, "the argument 'paths' has to be a text"),
        ({"job": "x", "words": []}, "the argument 'words' has no items"),
        ({"job": "x", "limit": 0}, "the argument 'limit' has to be 1 or more"),
        ({"job": "x", "limit": True}, "the argument 'limit' has to be a whole number"),
    ],
)
def test_others_are_refused(given: Any, line: str) -> None:
    with pytest.raises(UsageError) as refused:
        check(given, SCHEMA)
    assert str(refused.value) == line


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_tool_says_what_a_host_needs_to_know(tool: Any) -> None:
    fields = tool.fields
    assert fields["inputSchema"]["type"] == fields["outputSchema"]["type"] == "object"
    assert fields["inputSchema"]["additionalProperties"] is False
    assert "folder" in fields["inputSchema"]["properties"]
    for name, schema in fields["inputSchema"]["properties"].items():
        assert schema["description"].endswith((".", "?")), name
    assert fields["description"].endswith((".", ")."))
    assert isinstance(fields["annotations"]["readOnlyHint"], bool)


def test_only_what_a_user_can_lose_by_is_called_destructive() -> None:
    def hinted(hint: str) -> set[str]:
        return {name for name, tool in TOOLS.items() if tool.hints.get(hint)}

    assert hinted("readOnlyHint") == {"review", "status", "wait", "logs", "result", "diff"}
    assert hinted("destructiveHint") == {"keep", "discard", "undo", "cancel"}
    assert hinted("openWorldHint") == {"run", "review"}
