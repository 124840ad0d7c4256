"""An agent that is a command: the task takes its place in it, as it is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.base import EventKind
from sideshoot.agents.template import TemplateAgent
from sideshoot.errors import AgentUnavailable
from sideshoot.model import Driver

from .conftest import Round

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Round]

SHOW = ("-c", "import sys; print(sys.argv[1:], repr(sys.stdin.read()))")
HOSTILE = "--model $(id) `x` 'a' \"b\" {effort} {prompt}\n-- "


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def round_of(*words: str) -> Round:
        driver = Driver("command", (sys.executable, *SHOW, *words))
        return Round(TemplateAgent("pruner", driver), tmp_path, f"template{os.getpid()}")

    return round_of


def test_the_task_is_one_argument_untouched(make: Make) -> None:
    result = make("--message={prompt}", "-y").run(HOSTILE)
    assert result.succeeded
    assert result.message.strip() == f"{[f'--message={HOSTILE}', '-y']} ''"


def test_one_of_100_kilobytes_arrives(tmp_path: Path) -> None:
    driver = Driver(
        "command", (sys.executable, "-c", "import sys; print(len(sys.argv[1]))", "{prompt}")
    )
    ran = Round(TemplateAgent("pruner", driver), tmp_path, f"template{os.getpid()}")
    assert ran.run("x" * 100_000).message == "100000\n"


def test_without_a_place_for_it_it_is_the_standard_input(make: Make) -> None:
    assert make("-y").run(HOSTILE).message.strip() == f"['-y'] {HOSTILE!r}"


def test_model_and_effort_have_their_places(make: Make) -> None:
    pruner = make("{model}/{effort}", "{prompt}", "{other}")
    said = pruner.run("{model}", model="m", effort="e").message
    assert said.startswith("['m/e', '{model}', '{other}']")
    with pytest.raises(AgentUnavailable, match="give --effort"):
        pruner.run("x", model="m")


def test_what_it_can_not_be_told_is_said(make: Make) -> None:
    pruner = make("{prompt}")
    assert pruner.run("x", model="m").succeeded
    assert "--model is left out" in pruner.texts(EventKind.WARNING)


def test_a_task_that_no_argument_can_hold_is_refused(make: Make) -> None:
    with pytest.raises(AgentUnavailable, match="NUL"):
        make("{prompt}").run("a\0b")
    assert repr("a\0b") in make().run("a\0b").message


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_one_that_is_too_long_for_an_argument_is_refused(make: Make) -> None:
    with pytest.raises(AgentUnavailable, match=r"too long .*\(131072 bytes\); without {prompt}"):
        make("{prompt}").run("x" * 131_072)
    assert make("{prompt}").run("x" * 131_071).succeeded
    assert make().run("x" * 131_072).succeeded


def test_its_variables_are_there(make: Make, tmp_path: Path) -> None:
    driver = Driver("command", ("sh", "-c", "echo $BED $SIDESHOOT_JOB"), {"BED": "north"})
    ran = Round(TemplateAgent("pruner", driver), tmp_path, "job1")
    assert ran.run("x").message == "north job1\n"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    agent = TemplateAgent("pruner", Driver("command", ("no-such-program", "{prompt}")))
    assert not agent.readiness().installed
    with pytest.raises(AgentUnavailable, match="no-such-program"):
        Round(agent, tmp_path, "none").run("x")
