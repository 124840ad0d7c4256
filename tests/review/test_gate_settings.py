"""What is set for the gate, who reviews, and what the options of `setup` mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from sideshoot.config import Config, load
from sideshoot.errors import UsageError
from sideshoot.review.gate_settings import (
    LONGEST_S,
    GateSettings,
    gate_settings,
    reviewer_of,
    values_of,
)

if TYPE_CHECKING:
    from pathlib import Path


def stored(tmp_path: Path, **values: str) -> Config:
    named = {key.replace("_", ".", 1): value for key, value in values.items()}
    return load(tmp_path, repository=tmp_path, stored=named)


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert gate_settings(load()) == gate_settings(stored(tmp_path)) == GateSettings()
    assert not GateSettings().enabled


def test_what_is_set_is_in_force(tmp_path: Path) -> None:
    config = stored(tmp_path, gate_enabled="on", gate_max_per_session="3", gate_cooldown="10m")
    assert gate_settings(config) == GateSettings(True, 3, 600, 600)
    config = stored(tmp_path, gate_time_limit="off", gate_max_per_session="off")
    assert gate_settings(config) == GateSettings(False, math.inf, 0, LONGEST_S)


def test_a_repository_can_not_turn_it_on_or_off_unasked(tmp_path: Path) -> None:
    (tmp_path / "sideshoot.toml").write_text("[gate]\nenabled = true\nmax_per_session = 0\n")
    config = stored(tmp_path)
    assert gate_settings(config) == GateSettings()
    assert {item.key for item in config.untrusted} == {"gate.enabled", "gate.max_per_session"}


def test_who_reviews(tmp_path: Path) -> None:
    config = stored(tmp_path, run_agent="codex", run_model="m", run_effort="e")
    assert reviewer_of(config) == ("codex", "m", "e")


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, {}),
        ({"enable": True}, {"gate.enabled": "on"}),
        ({"disable": True}, {"gate.enabled": "off"}),
        ({"most": "3", "cooldown": "off"}, {"gate.max_per_session": "3", "gate.cooldown": "off"}),
        (
            {"most": "off", "cooldown": "10"},
            {"gate.max_per_session": "off", "gate.cooldown": "10m"},
        ),
    ],
)
def test_options_of_setup(options: dict[str, str], values: dict[str, str]) -> None:
    assert values_of(**({"most": None, "cooldown": None} | options)) == values  # type: ignore[arg-type]


def test_on_and_off_at_once() -> None:
    with pytest.raises(UsageError, match="contradict"):
        values_of(enable=True, disable=True, most=None, cooldown=None)
