"""The findings of a review on a terminal: the worst first, wrapped to its width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sideshoot.cli.columns import width
from sideshoot.cli.diffstat import counted
from sideshoot.review.findings import Severity, Verdict
from sideshoot.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sideshoot.review.findings import Finding, Review

    Paint = Callable[[str, str], str]

_COLOURS = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_NARROWEST = 30
_FENCE = re.compile(r"\s*(```|~~~)")


def finding_lines(review: Review, *, columns: int, paint: Paint) -> Iterator[str]:
    """A review as lines that hold nothing which could steer a terminal.

    :param columns: how wide they may be; a word that is longer stays whole.
    :param paint: gives a text the colour that is named.
    """
    for note in review.notes:
        yield from wrapped(f"note: {note}", columns)
    if review.verdict is not None:
        yield _headline(review, paint)
        yield from wrapped(review.summary, columns)
    for number, finding in enumerate(review.findings, 1):
        yield ""
        yield from _finding(number, finding, columns, paint)
    if review.next_steps:
        yield ""
        yield "next steps"
        for step in review.next_steps:
            yield from wrapped(step, columns, first="  - ", rest="    ")
    if review.prose:
        yield ""
        yield from wrapped(review.prose, columns)


def _headline(review: Review, paint: Paint) -> str:
    assert review.verdict is not None
    colour = "green" if review.verdict is Verdict.APPROVE else "yellow"
    count = counted(len(review.findings), "finding") if review.findings else "no findings"
    return f"{paint(review.verdict.words, colour)}: {count}"


def _finding(number: int, finding: Finding, columns: int, paint: Paint) -> Iterator[str]:
    severity = finding.severity.value
    first, *more = wrapped(
        finding.title, columns, first=f"{number}. {severity}: ", rest=" " * (len(str(number)) + 2)
    )
    coloured = paint(severity, _COLOURS[finding.severity])
    yield first.replace(severity, coloured, 1)
    yield from more
    indent = "   "
    place = _place(finding)
    if place:
        yield f"{indent}{paint(place, 'dim')}"
    yield from wrapped(finding.body, columns, first=indent, rest=indent)
    if finding.recommendation:
        yield from wrapped(f"Fix: {finding.recommendation}", columns, first=indent, rest=indent)


def _place(finding: Finding) -> str:
    """Where it is, what is wrong with that, and how sure the reviewer is."""
    doubt = f" ({finding.doubt})" if finding.doubt else ""
    sure = f"confidence {finding.confidence:g}" if finding.confidence is not None else ""
    place = f"{printable(finding.place)}{doubt}" if finding.file else ""
    return ", ".join(part for part in (place, sure) if part)


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most so many columns. Lines of the text stay apart, and code in it is not wrapped.

    :param first: what the first line begins with, and `rest` each that follows.
    """
    room = max(columns - len(rest), _NARROWEST)
    lines: list[str] = []
    is_code = False
    for line in text.expandtabs(4).splitlines() if text else []:
        fence = _FENCE.match(line) is not None
        is_code ^= fence
        whole = printable(line).rstrip()
        if is_code or fence or whole.startswith("    "):
            lines.append(f"{rest if lines else first}{whole}".rstrip())
            continue
        for piece in _pieces(whole, room, room + len(rest) - len(first)):
            lines.append(f"{rest if lines else first}{piece}".rstrip())
    return lines


def _pieces(line: str, room: int, first_room: int) -> Iterator[str]:
    """A line in pieces between its words; what it is indented by goes before each."""
    indent = line[: len(line) - len(line.lstrip())]
    piece, left = indent, first_room
    for word in line.split():
        joined = f"{piece} {word}" if piece.strip() else f"{piece}{word}"
        if piece.strip() and width(joined) > left:
            yield piece
            joined, left = f"{indent}{word}", room
        piece = joined
    yield piece
