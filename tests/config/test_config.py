"""What is in force where several sources say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.config import SETTINGS, Origin, load, named
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from support.sources import Sources


def test_what_nobody_sets_has_its_default() -> None:
    config = load()

    assert {one.key: config.in_force(one.key).text for one in SETTINGS} == {
        one.key: one.default for one in SETTINGS
    }
    assert {config.in_force(one.key).origin for one in SETTINGS} == {Origin.DEFAULT}
    assert config.agents == {}
    assert config.workspace.link == config.workspace.setup == config.workspace.cache == ()


def test_every_default_is_one_that_its_kind_takes() -> None:
    for setting in SETTINGS:
        setting.kind.read(setting.default)


def test_what_is_nearer_counts(sources: Sources) -> None:
    own, theirs = "run.model = 'own'", "run.model = 'theirs'"
    origins = [
        sources.say().in_force("run.model")[:2],
        sources.say(own).in_force("run.model")[:2],
        sources.say(own, theirs).in_force("run.model")[:2],
        sources.say(own, theirs, run__model="stored").in_force("run.model")[:2],
    ]

    assert origins == [
        ("", Origin.DEFAULT),
        ("own", Origin.OWN_FILE),
        ("theirs", Origin.REPOSITORY_FILE),
        ("stored", Origin.REPOSITORY),
    ]


def test_settings_of_all_sources_come_together(sources: Sources) -> None:
    config = sources.say("run.model = 'a'", "run.effort = 'b'", run__timeout="1h")

    assert [config.value(f"run.{name}") for name in ("model", "effort", "timeout")] == [
        "a",
        "b",
        3600,
    ]


def test_a_stored_value_that_nobody_can_read_counts_for_nothing(sources: Sources) -> None:
    assert sources.say(run__timeout="a while").value("run.timeout") == 1800
    assert sources.say("run.timeout = '1h'", run__timeout="a while").value("run.timeout") == 3600


def test_an_agents_table_is_put_together_from_all_sources(sources: Sources) -> None:
    own = """
        [agents.mine]
        acp = "mine --acp"
        model = "small"
        environment = { A = "1", B = "1" }
        """

    theirs = "[agents.mine]\nmodel = 'large'\n[agents.other]\neffort = 'low'\n"
    config = sources.say(own, theirs)

    assert config.agents["mine"].acp == ("mine", "--acp")
    assert config.agents["mine"].model == "large"
    assert config.agents["other"].effort == "low"
    assert config.agent_keys == [
        "agents.mine.acp",
        "agents.mine.environment",
        "agents.mine.model",
        "agents.other.effort",
    ]


def test_there_is_one_way_to_start_an_agent(sources: Sources) -> None:
    sources.own.write_text("[agents.mine]\nacp = 'a'\ncommand = 'b'\n")

    mine = load().agents["mine"]

    assert (mine.acp, mine.command) == (None, ("b",))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"gc\.max_age_days, gc\.max_size_mb, guard\.enabled"):
        named("colour")
    with pytest.raises(UsageError, match=r"did you mean run\.timeout"):
        named("run.timeuot")
    assert named("agents.mine.model").key == "agents.mine.model"
