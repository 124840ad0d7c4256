"""Lengths of time as they are shown: `0.4s`, `1m 5s`, `3h ago`."""

from __future__ import annotations

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


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
