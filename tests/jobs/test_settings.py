"""What can be set for a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.config import named
from sideshoot.errors import UsageError
from sideshoot.jobs.settings import agents_for_tasks, change, check, load_config

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.config import Config
    from support.jobs import Jobs


def config_of(jobs: Jobs) -> Config:
    return load_config(jobs.repository, jobs.store)


def set_value(jobs: Jobs, key: str, value: str) -> None:
    change(jobs.store, config_of(jobs), named(key), value)


def test_a_value_is_in_force_until_it_is_taken_back(jobs: Jobs) -> None:
    set_value(jobs, "gc.max_age_days", "3.5")
    assert config_of(jobs).value("gc.max_age_days") == 3.5
    assert config_of(jobs).in_force("gc.max_age_days").origin == "this repository"

    set_value(jobs, "gc.max_age_days", "default")
    assert config_of(jobs).value("gc.max_age_days") == 14


def test_what_is_set_counts_more_than_the_file_of_the_repository(jobs: Jobs) -> None:
    jobs.repo.write("sideshoot.toml", "[run]\ntimeout = '1h'\n")
    assert config_of(jobs).value("run.timeout") == 3600

    set_value(jobs, "run.timeout", "2h")
    assert config_of(jobs).value("run.timeout") == 7200


def test_what_sideshoot_notes_for_itself_is_no_setting(jobs: Jobs) -> None:
    jobs.run()
    jobs.store.set_setting("held.bytes", "7")

    assert config_of(jobs).layers[0].entries == {}


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf", "-inf", ""])
def test_a_number_is_a_number(jobs: Jobs, value: str) -> None:
    with pytest.raises(UsageError, match="takes a number"):
        set_value(jobs, "gc.max_size_mb", value)


@pytest.mark.parametrize(
    ("key", "value", "takes"),
    [
        ("run.agent", "nobody", "an agent for tasks"),
        ("run.agent", "command", "an agent for tasks"),
        ("run.timeout", "30", "a duration"),
        ("run.idle_timeout", "", "a duration"),
        ("run.output_limit", "0", "an amount"),
        ("run.sandbox", "on", "off, write or offline"),
        ("run.carry", "some", "all, tracked or none"),
        ("workspace.pool", "-1", "a whole number, or off"),
        ("worktree.dir", ".git/copies", "a folder of its own"),
        ("notify.command", "say \udcff", "UTF-8"),
    ],
)
def test_a_value_of_another_kind_is_refused(jobs: Jobs, key: str, value: str, takes: str) -> None:
    with pytest.raises(UsageError, match=f"{key} can't be .* it takes .*{takes}.*, or default"):
        check(config_of(jobs), named(key), value)


@pytest.mark.parametrize("key", ["workspace.setup", "agents.mine.acp"])
def test_what_is_more_than_a_word_is_set_in_files(jobs: Jobs, key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} is set in files alone"):
        check(config_of(jobs), named(key), "make")


def test_an_agent_of_a_file_can_be_chosen(jobs: Jobs, home: Path) -> None:
    text = "[agents.mine]\nacp = 'mine'\n[agents.codex]\nmodel = 'm'\n[agents.nothing]\n"
    own = home / ".config" / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text(text)

    known = {*agents_for_tasks(config_of(jobs))}

    assert {"codex", "mine"} <= known
    assert not {"command", "nothing"} & known
    check(config_of(jobs), named("run.agent"), "mine")
