"""Amounts of data as people write them: `500K`, `10M`, `2G`, `off`."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)(?:I?B)?", re.ASCII | re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """An amount in bytes; `None` for `off`, which means no limit.

    :raises ValueError: it is not an amount, or it is zero.
    """
    word = text.strip()
    if word.lower() == "off":
        return None
    parts = _SIZE.fullmatch(word)
    size = int(float(parts[1]) * _UNITS[parts[2].upper()]) if parts else 0
    if size <= 0:
        raise ValueError(f"{text!r} is not an amount like 500K, 10M, 2G or off")
    return size
