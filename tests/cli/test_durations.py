"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from sideshoot.cli.durations import parse_duration, show_age, show_duration


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
    ("seconds", "shown"),
    [
        (-1, "0.0s"),
        (0.42, "0.4s"),
        (9.96, "10s"),
        (65, "1m 5s"),
        (3600, "1h"),
        (3605, "1h"),
        (3720, "1h 2m"),
        (273600, "3d 4h"),
    ],
)
def test_shows_a_duration_in_two_units(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "1s ago"), (119, "1m ago"), (90000, "1d ago")]
)
def test_shows_an_age_in_one_unit(seconds: float, shown: str) -> None:
    assert show_age(seconds) == shown
