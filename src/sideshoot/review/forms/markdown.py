"""A review as Markdown, for a comment or a file.

What the reviewer wrote stays Markdown where that is harmless, inside a quotation that nothing in it can
leave. Where it holds HTML or pictures, which would act in the reader's browser, it is shown letter by
letter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sideshoot.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.review.findings import Finding, Review

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&@$:=])")
_ACTIVE = frozenset({"html_block", "html_inline", "image"})


def render(review: Review) -> str:
    return "\n\n".join(_parts(review)) + "\n"


def _parts(review: Review) -> Iterator[str]:
    if review.verdict is not None:
        yield f"# Review: {review.verdict.words}"
    else:
        yield "# Review"
    yield from (f"*{escaped(note)}*" for note in review.notes)
    if review.summary:
        yield _quoted(review.summary)
    if review.verdict is not None and not review.findings:
        yield "No findings."
    for number, finding in enumerate(review.findings, 1):
        yield from _finding(number, finding)
    if review.next_steps:
        yield "## Next steps"
        yield "\n".join(f"- {escaped(step)}" for step in review.next_steps)
    if review.prose:
        yield from ["## The reviewer's own words"] if review.verdict is not None else []
        yield _quoted(review.prose)


def _finding(number: int, finding: Finding) -> Iterator[str]:
    yield f"## {number}. {escaped(finding.title)}"
    place = f", {code(finding.place)}" if finding.file else ""
    doubt = f" ({finding.doubt})" if finding.doubt else ""
    sure = f", confidence {finding.confidence:g}" if finding.confidence is not None else ""
    yield f"**{finding.severity}**{place}{doubt}{sure}"
    if finding.body:
        yield _quoted(finding.body)
    if finding.recommendation:
        yield "Recommendation:"
        yield _quoted(finding.recommendation)


def code(text: str) -> str:
    """Text as code, whatever backticks it holds."""
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{ticks}{room}{printable(text)}{room}{ticks}"


def escaped(text: str) -> str:
    """Text on one line in which no letter means anything to Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))


def _quoted(text: str) -> str:
    lines = [printable(line) for line in text.expandtabs(4).splitlines()]
    if _acts("\n".join(lines)):
        # Two spaces keep the lines apart; leading ones would make code of them.
        lines = [f"{escaped(line)}  " if line.strip() else "" for line in lines]
    return "\n".join(f"> {line}".rstrip(" ") if not line.strip() else f"> {line}" for line in lines)


def _acts(text: str) -> bool:
    """Whether Markdown would make something of it that is more than text."""
    if "<" not in text and "![" not in text:
        return False
    from markdown_it import MarkdownIt  # noqa: PLC0415 - rich brings it; only for the odd text

    return any(
        token.type in _ACTIVE
        for block in MarkdownIt("commonmark").parse(text)
        for token in (block, *(block.children or ()))
    )
