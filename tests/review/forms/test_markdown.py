"""Markdown: it says what was found, and nothing that a reviewer wrote acts in the reader's browser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sideshoot.review.forms.markdown import code, escaped, render
from support.findings import ODD_PATHS, REVIEWS, found, review


def tokens(text: str) -> list[Any]:
    blocks = MarkdownIt("commonmark").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def kinds(text: str) -> set[str]:
    return {token.type for token in tokens(text)}


def words(text: str) -> str:
    return "".join(token.content for token in tokens(text) if token.type in ("text", "code_inline"))


def test_a_review() -> None:
    text = render(review(found(), next_steps=("Dry it",), notes=("a note",)))
    assert text == (
        "# Review: needs attention\n\n*a note*\n\n> Wet.\n\n## 1. It leaks\n\n"
        "**high**, `src/app.py:3-4`, confidence 0.9\n\n> When it rains.\n\nRecommendation:\n\n"
        "> Mend it\\.\n\n## Next steps\n\n- Dry it\n"
    ).replace("Mend it\\.", "Mend it.")


def test_no_findings() -> None:
    assert "No findings." in render(review())


def test_prose_is_quoted_as_it_is() -> None:
    text = render(review(verdict=None, summary="", prose="# Big\n\nAll *well*."))
    assert text == "# Review\n\n> # Big\n>\n> All *well*.\n"


def test_markdown_of_the_reviewer_stays() -> None:
    body = "Use `List<int>`:\n\n```c\n#include <stdio.h>\n```"
    text = render(review(found(body=body)))
    assert "> Use `List<int>`:\n>\n> ```c\n> #include <stdio.h>\n> ```" in text


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "![](https://example.com/pixel.png)",
        "\\`<b>\\`",
        "    ```\n<b>x</b>",
        "\t<b>",
        "- x\n  ```\n<img src=x>",
        "<!-- \n\nall that follows",
        "<details>",
    ],
)
def test_what_would_act_is_shown_letter_by_letter(body: str) -> None:
    text = render(review(found(body=body), found("The second")))
    assert not kinds(text) & {"html_block", "html_inline", "image"}
    assert "The second" in words(text)


def test_an_open_fence_ends_with_its_finding() -> None:
    text = render(review(found(body="```\nopen"), found("The second")))
    headings = [token for token in tokens(text) if token.type == "heading_open"]
    assert len(headings) == 3


@given(REVIEWS)
def test_nothing_that_was_said_acts(given: Any) -> None:
    text = render(given)
    assert not kinds(text) & {"html_block", "html_inline", "image"}
    assert all(letter.isprintable() or letter == "\n" for letter in text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp"])))
def test_an_escaped_text_is_read_as_it_was(text: str) -> None:
    shown = tokens(f"x{escaped(text)}x")
    (inline,) = [token for token in shown if token.type == "inline"]
    assert "".join(child.content for child in inline.children) == f"x{text}x"


@pytest.mark.parametrize("path", ODD_PATHS)
def test_names_are_code(path: bytes) -> None:
    finding = found(path=path)
    assert finding.place in words(render(review(finding)))


@pytest.mark.parametrize("text", ["`", "a``b`c", " x ", "``"])
def test_code_with_backticks(text: str) -> None:
    (token,) = [token for token in tokens(code(text)) if token.type == "code_inline"]
    assert token.content == text
