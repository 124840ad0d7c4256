"""Amounts as people write them: of time (`30s`, `1h30m`) and of data (`500K`, `2G`); `off` is no limit."""

from __future__ import annotations

import re

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)(?:I?B)?", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> float | None:
    """A duration in seconds; `None` for `off`.

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
        for part, unit in zip(parts.groups(), _SECONDS.values(), strict=True)
        if part
    )
    if seconds <= 0:
        raise ValueError(f"{_advice(text)}; no limit is `off`")
    return seconds


def parse_size(text: str) -> int | None:
    """An amount of data in bytes; `None` for `off`.

    :raises ValueError: it is not an amount, or it is zero.
    """
    word = text.strip()
    if word.lower() == "off":
        return None
    parts = _SIZE.fullmatch(word)
    size = int(float(parts[1]) * _BYTES[parts[2].upper()]) if parts else 0
    if size <= 0:
        raise ValueError(f"{text!r} is not an amount like 500K, 10M, 2G or off")
    return size


def _advice(text: str) -> str:
    return f"{text!r} is not a duration like 30s, 10m, 1h30m or off"
