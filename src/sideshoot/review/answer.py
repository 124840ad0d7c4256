"""Read what a reviewer answered.

A model that is asked for one JSON object gives it alone, in a fence, after some words, or not at all.
Whatever it is, something comes of it: findings where they are meant, and prose that is said to be prose
everywhere else. Nothing that an answer holds is an error.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sideshoot.review.findings import Finding, Review, Severity, Verdict, by_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 1024 * 1024
"""A longer answer is prose."""
MOST_FINDINGS = 1000
"""Further ones are left out, which the review says."""
_MOST_TRIES = 64
"""At so many braces an object is looked for."""
_LARGEST_LINE = 2**31 - 1

_OPENED = re.compile(r"(?:`{3,9}|~{3,9})[\w-]{0,20}\Z")
_CLOSED = re.compile(r"(?:`{3,9}|~{3,9})")
_SURROGATE = re.compile("[\ud800-\udfff]")

_SEVERITIES = {
    **{severity.value: severity for severity in Severity},
    "blocker": Severity.CRITICAL,
    "error": Severity.HIGH,
    "info": Severity.LOW,
    "major": Severity.HIGH,
    "minor": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "nit": Severity.LOW,
    "p0": Severity.CRITICAL,
    "p1": Severity.HIGH,
    "p2": Severity.MEDIUM,
    "p3": Severity.LOW,
    "warning": Severity.MEDIUM,
}
_APPROVING = frozenset({"approve", "approved", "pass", "ok", "lgtm"})

NOT_JSON = "the answer is not in the form of findings, so it is shown as it was given"


def read(text: str) -> Review:
    """The review in an answer; one of prose alone if there is no other in it."""
    if len(text) > MOST_CHARACTERS:
        return _prose(text, f"{NOT_JSON}: it is too long to look for them")
    shape = ""
    for start, end, value in reversed(list(objects(text))):
        if isinstance(value.get("findings"), list):
            around = _around(text[:start], text[end:])
            return _review(value, around)
        shape = ": it is JSON of another shape, without a list of `findings`"
    return _prose(text, NOT_JSON + shape)


def tidied(review: Review) -> Review:
    """A review that was read elsewhere, with every text and number in the bounds that all others have."""
    return replace(
        review,
        summary=_clean(review.summary),
        findings=by_severity(map(_tidied, review.findings[:MOST_FINDINGS])),
    )


def load_json(text: str) -> Any:
    """What a JSON text means, however deep or odd it is.

    :raises ValueError: it is none, or too deep.
    """
    try:
        return json.loads(text, parse_constant=_nothing)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _tidied(finding: Finding) -> Finding:
    first, last = _line(finding.line_start), _line(finding.line_end)
    return replace(
        finding,
        title=" ".join(_clean(finding.title).split()),
        body=_clean(finding.body),
        file=_file(finding.file),
        line_start=first,
        line_end=max(first, last),
        confidence=_confidence(finding.confidence),
    )


def objects(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Each JSON object in a text that lies in no other one, and from where to where."""
    decoder = json.JSONDecoder(parse_constant=_nothing)
    start = text.find("{")
    for _ in range(_MOST_TRIES):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except RecursionError:
            return
        except ValueError:
            end = start + 1
        else:
            yield start, end, value
        start = text.find("{", end)


def _around(before: str, after: str) -> str:
    """What was said beside an object, without the fence that it stood in."""
    before = _OPENED.sub("", before.strip("\ufeff \t\r\n"))
    after = _CLOSED.sub("", after.lstrip(), count=1) if _CLOSED.match(after.lstrip()) else after
    return "\n\n".join(part for part in (before.strip(), after.strip()) if part)


def _nothing(_: str) -> None:
    """What NaN and the infinities mean here; JSON has none of them."""


def _prose(text: str, note: str) -> Review:
    return Review(None, prose=_clean(text.removeprefix("\ufeff")).strip(), notes=(note,))


def _review(facts: dict[str, Any], around: str) -> Review:
    notes: list[str] = []
    given = facts["findings"]
    findings = by_severity(
        _finding(value, number, notes) for number, value in enumerate(given[:MOST_FINDINGS], 1)
    )
    if len(given) > MOST_FINDINGS:
        notes.append(f"{len(given) - MOST_FINDINGS} further findings are left out")
    return Review(
        verdict=_verdict(facts.get("verdict"), findings, notes),
        summary=_text(facts.get("summary")).strip(),
        findings=findings,
        next_steps=tuple(_texts(facts.get("next_steps"))),
        prose=_clean(around),
        notes=tuple(notes),
    )


def _verdict(said: Any, findings: tuple[Finding, ...], notes: list[str]) -> Verdict:
    word = _text(said).strip().lower().replace("_", "-").replace(" ", "-")
    if word in _APPROVING:
        return Verdict.APPROVE
    if not word:
        notes.append("the answer has no verdict, so it is that of the findings")
        return Verdict.NEEDS_ATTENTION if findings else Verdict.APPROVE
    return Verdict.NEEDS_ATTENTION


def _finding(value: Any, number: int, notes: list[str]) -> Finding:
    """A finding with what it lacks filled in; no value is so odd that nothing of it is shown."""
    facts = value if isinstance(value, dict) else {"body": value}
    body = _text(facts.get("body")).strip()
    first, last = _lines(facts)
    title = " ".join(_text(facts.get("title")).split())
    return Finding(
        severity=_severity(facts.get("severity"), number, notes),
        title=title or _first_line(body) or f"Finding {number}",
        body=body,
        file=_file(facts.get("file")),
        line_start=first,
        line_end=last,
        confidence=_confidence(facts.get("confidence")),
        recommendation=_text(facts.get("recommendation")).strip(),
    )


def _severity(said: Any, number: int, notes: list[str]) -> Severity:
    word = _text(said).strip()
    known = _SEVERITIES.get(word.lower())
    if known is None:
        how = f"of severity {word[:40]!r}" if word else "without a severity"
        notes.append(f"finding {number} of the answer is {how}, and is taken for low")
    return known or Severity.LOW


def _lines(facts: dict[str, Any]) -> tuple[int, int]:
    """From which line to which; the last is never before the first."""
    first, last = _line(facts.get("line_start")), _line(facts.get("line_end"))
    first = first or last
    return first, max(first, last)


def _line(said: Any) -> int:
    if isinstance(said, str) and said.strip().isdecimal() and len(said) < 12:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        return 0
    return int(said) if 0 < said <= _LARGEST_LINE else 0


def _confidence(said: Any) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 1:
        return None
    return float(said)


def _file(said: Any) -> str:
    """A name as it was given; what stands for a byte that is no text is written as `\\xff`."""
    text = said.strip() if isinstance(said, str) else ""
    return _SURROGATE.sub(_as_byte, text)


def _as_byte(match: re.Match[str]) -> str:
    code = ord(match[0])
    # The range that stands for single bytes in file names, in Python and elsewhere.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else "\ufffd"


def _texts(said: Any) -> Iterator[str]:
    for one in said[:MOST_FINDINGS] if isinstance(said, list) else [said]:
        text = _text(one).strip()
        if text:
            yield text


def _text(said: Any) -> str:
    """A text as it is, and anything else as JSON."""
    if said is None:
        return ""
    try:
        return _clean(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))
    except RecursionError:  # writing takes more of the stack than reading
        return "…"


def _first_line(text: str, most: int = 100) -> str:
    line = text.partition("\n")[0].strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _clean(text: str) -> str:
    """Without halves of characters, which no file and no terminal can take."""
    return _SURROGATE.sub("\ufffd", text)
