"""What is set for the review gate of a repository, and who reviews."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sideshoot.errors import UsageError
from sideshoot.jobs.defaults import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.config import Config

LONGEST_S = 24 * 3600.0
"""What `gate.time_limit off` comes to: a host has a limit in any case."""

_OF_A_JOB = {
    "carry": "all",
    "sandbox": None,
    "timeout_s": None,
    "idle_timeout_s": None,
    "output_limit": None,
}
"""What is set for tasks and means nothing for the review of a turn."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Whether turns are reviewed, how often, and how long that may take."""

    enabled: bool = False
    max_per_session: float = math.inf
    """So many turns of one session of the host are reviewed at most."""
    cooldown_s: float = 0
    """So long after the review of a turn of a session there is no other one."""
    timeout_s: float = 600
    """A review that takes longer is given up, and the turn goes through. A host ends its hooks after
    some time of its own, which has to be longer."""


class Reviewer(NamedTuple):
    """The agent that looks at turns, and how it works."""

    agent: str
    model: str | None = None
    effort: str | None = None


def gate_settings(config: Config) -> GateSettings:
    """What is in force."""
    return GateSettings(
        enabled=config.value("gate.enabled"),
        max_per_session=config.value("gate.max_per_session"),
        cooldown_s=config.value("gate.cooldown") or 0,
        timeout_s=config.value("gate.time_limit") or LONGEST_S,
    )


def reviewer_of(config: Config) -> Reviewer:
    """Who reviews: the agent that does a task by default.

    :raises ConsentNeeded: the repository's file chooses it without the user's consent.
    :raises AgentUnavailable: none is installed.
    :raises UsageError: nothing would hold it to looking.
    """
    facts = filled(config, _OF_A_JOB)
    agent = facts["agent"]
    own = config.agents.get(agent)
    if own is not None and (own.acp or own.command):
        raise UsageError(
            f"{agent} can't look at turns: nothing holds an agent of your own to looking"
        )
    return Reviewer(agent, facts["model"], facts["effort"])


def values_of(
    *, enable: bool = False, disable: bool = False, most: str | None, cooldown: str | None
) -> Mapping[str, str]:
    """The settings that the options of `setup` mean, as texts.

    :param most: a number or `off`.
    :param cooldown: a number of minutes or `off`.
    :raises UsageError: they contradict each other.
    """
    if enable and disable:
        raise UsageError("--enable-review-gate and --disable-review-gate contradict each other")
    switch = ("on" if enable else "off") if enable or disable else None
    minutes = f"{cooldown}m" if cooldown is not None and cooldown != "off" else cooldown
    values = {"gate.enabled": switch, "gate.max_per_session": most, "gate.cooldown": minutes}
    return {key: value for key, value in values.items() if value is not None}
