"""Amounts as people write them."""

from __future__ import annotations

import pytest

from sideshoot.amounts import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("1.5s", 1.5),
        ("2H", 7200),
        (" 5m ", 300),
        ("off", None),
        ("OFF", None),
    ],
)
def test_reads_a_duration(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "m", "1m30", "30m1h", "-5s", "0s", "0", "1h 30m", "five", "1.5h", "٣s"]
)
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="30s, 10m, 1h30m or off"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("10k", 10240), ("1.5M", 1572864), ("2GiB", 2 << 30), (" 1 ".strip(), 1)],
)
def test_reads_a_size(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_no_limit_of_size() -> None:
    assert parse_size("off") is None


@pytest.mark.parametrize("text", ["", "0", "-1", "M", "1T", "1.2.3M", "ten"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        parse_size(text)
