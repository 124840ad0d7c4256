"""What can be set for a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import UsageError
from sideshoot.jobs.settings import SETTINGS, change, in_force, named, number

if TYPE_CHECKING:
    from support.jobs import Jobs


def test_what_is_not_set_has_its_default(jobs: Jobs) -> None:
    jobs.run()

    found = [in_force(jobs.store, setting) for setting in SETTINGS]

    assert [(one.value, one.is_set) for one in found] == [(s.default, False) for s in SETTINGS]


def test_a_value_is_in_force_until_it_is_taken_back(jobs: Jobs) -> None:
    jobs.run()
    age = named("gc.max_age_days")

    change(jobs.store, age, "3.5")
    assert number(jobs.store, age.key) == 3.5
    assert in_force(jobs.store, age).is_set

    change(jobs.store, age, "default")
    assert number(jobs.store, age.key) == 14


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf", ""])
def test_a_number_is_a_number(jobs: Jobs, value: str) -> None:
    jobs.run()

    with pytest.raises(UsageError, match="takes a number"):
        change(jobs.store, named("gc.max_size_mb"), value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"gc\.max_age_days, gc\.max_size_mb, notify\.command"):
        named("colour")
