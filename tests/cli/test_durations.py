"""Lengths of time as they are shown."""

from __future__ import annotations

import pytest

from sideshoot.cli.durations import show_age, show_duration


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
