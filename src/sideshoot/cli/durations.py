"""Lengths of time as people write them: `30s`, `10m`, `1h30m`, `off`."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)


def parse_duration(text: str) -> float | None:
    """A duration in seconds; `None` for `off`, which means no limit.

    :raises ValueError: it is not a duration, or it is zero.
    """
    word = text.strip().lower()
    if word == "off":
        return None
    parts = _PARTS.fullmatch(word)
    if not word or parts is None:
        raise ValueError(_advice(text))
    seconds = sum(
        float(part) * unit
        for part, unit in zip(parts.groups(), _UNITS.values(), strict=True)
        if part
    )
    if seconds <= 0:
        raise ValueError(f"{_advice(text)}; no limit is `off`")
    return seconds


def show_duration(seconds: float) -> str:
    """A duration for people, in its two largest units: `0.4s`, `9s`, `1m 5s`, `1h 2m`, `3d 4h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f}s"
    counts = _counts(round(seconds))
    first = next(n for n, (_, count) in enumerate(counts) if count)
    return " ".join(f"{count}{unit}" for unit, count in counts[first : first + 2] if count)


def show_age(seconds: float) -> str:
    """How long ago something was, in its largest unit: `8s ago`, `3h ago`."""
    counts = _counts(max(round(seconds), 1))
    return next(f"{count}{unit} ago" for unit, count in counts if count)


def _counts(seconds: int) -> list[tuple[str, int]]:
    counts = []
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        counts.append((unit, count))
    return counts


def _advice(text: str) -> str:
    return f"{text!r} is not a duration like 30s, 10m, 1h30m or off"
