"""docs/troubleshooting.md explains messages that the program has, word for word.

When a message is changed or goes, the page has to follow.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PAGE = (TOP / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^#### `(.+)`$", PAGE, re.MULTILINE)


@cache
def messages() -> str:
    """All texts in the program, one a line, with an ellipsis for what is put in."""
    files = sorted((TOP / "src").rglob("*.py"))
    texts = (text_of(node) for file in files for node in ast.walk(ast.parse(file.read_bytes())))
    return "\n".join(" ".join(text.split()) for text in texts if text)


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) or "…" for value in node.values)
    return ""


@pytest.mark.parametrize("quoted", QUOTED)
def test_the_message_is_one_of_the_programs(quoted: str) -> None:
    assert quoted.removeprefix("… ").removesuffix(" …").strip() in messages()


def test_messages_are_quoted() -> None:
    assert len(QUOTED) > 40
