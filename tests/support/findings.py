"""Reviews as they are once they were read, for the tests of their forms."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sideshoot.review.findings import Finding, Review, Severity, Verdict

ODD_PATHS = [
    b"new\nline",
    b"qu'o\"te",
    b"$HOME/x",
    b"caf\xe9.py",
    b"a b:c#d?e%f",
    "ü".encode(),
    b"//x",
]


def found(title: str = "It leaks", **facts: Any) -> Finding:
    plain: dict[str, Any] = {
        "severity": Severity.HIGH,
        "body": "When it rains.",
        "file": "src/app.py",
        "line_start": 3,
        "line_end": 4,
        "confidence": 0.9,
        "recommendation": "Mend it.",
        "path": b"src/app.py",
    }
    return Finding(title=title, **(plain | facts))


def review(*findings: Finding, **facts: Any) -> Review:
    plain = {"verdict": Verdict.NEEDS_ATTENTION, "summary": "Wet."}
    return Review(findings=findings, **(plain | facts))


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_FINDINGS = st.builds(
    Finding,
    severity=st.sampled_from(Severity),
    title=_TEXT.map(lambda text: " ".join(text.split()) or "t"),
    body=_TEXT,
    file=_TEXT,
    line_start=st.integers(0, 2**31 - 1),
    line_end=st.just(2**31 - 1),
    confidence=st.none() | st.floats(0, 1),
    recommendation=_TEXT,
    path=st.none() | st.binary(min_size=1, max_size=20),
    doubt=st.sampled_from(["", "there is no such file"]),
)
REVIEWS = st.builds(
    Review,
    verdict=st.none() | st.sampled_from(Verdict),
    summary=_TEXT,
    findings=st.lists(_FINDINGS, max_size=3).map(tuple),
    next_steps=st.lists(_TEXT, max_size=2).map(tuple),
    prose=_TEXT,
    notes=st.lists(_TEXT, max_size=2).map(tuple),
)
