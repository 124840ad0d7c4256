"""What can be set for a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import UsageError
from sideshoot.jobs.settings import SETTINGS, change, check, in_force, named, number, value_of
from sideshoot.model import Request

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


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf", "-inf", ""])
def test_a_number_is_a_number(jobs: Jobs, value: str) -> None:
    jobs.run()

    with pytest.raises(UsageError, match="takes a number"):
        change(jobs.store, named("gc.max_size_mb"), value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"gc\.max_age_days, gc\.max_size_mb, notify\.command"):
        named("colour")


@pytest.mark.parametrize(
    ("key", "value", "takes"),
    [
        ("run.agent", "nobody", "an agent for tasks"),
        ("run.agent", "command", "an agent for tasks"),
        ("run.timeout", "30", "a duration"),
        ("run.idle_timeout", "", "a duration"),
        ("run.output_limit", "0", "an amount"),
        ("notify.command", "say \udcff", "UTF-8"),
    ],
)
def test_a_value_of_another_kind_is_refused(key: str, value: str, takes: str) -> None:
    with pytest.raises(UsageError, match=f"{key} can't be .* it takes .*{takes}.*, or default"):
        check(named(key), value)


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("run.agent", "codex", "codex"),
        ("run.timeout", "1h30m", 5400),
        ("run.timeout", "off", None),
        ("run.idle_timeout", "10s", 10),
        ("run.output_limit", "10K", 10240),
        ("gc.max_size_mb", "off", float("inf")),
    ],
)
def test_a_value_is_read_as_what_it_means(jobs: Jobs, key: str, value: str, meant: object) -> None:
    change(jobs.store, named(key), value)

    assert value_of(jobs.store, key) == meant


def test_a_request_has_the_limits_that_are_the_default_here() -> None:
    request = Request("command")

    limits = (request.timeout_s, request.idle_timeout_s, request.output_limit)

    names = ("run.timeout", "run.idle_timeout", "run.output_limit")
    assert limits == tuple(value_of(None, name) for name in names)


def test_a_value_that_nobody_can_read_counts_as_the_default(jobs: Jobs) -> None:
    jobs.store.set_setting("run.timeout", "a while")

    assert value_of(jobs.store, "run.timeout") == 1800
