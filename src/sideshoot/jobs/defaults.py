"""What a request is like where the caller says nothing: as it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.config import require_consent
from sideshoot.errors import AgentUnavailable
from sideshoot.model import Carry, Driver, Equipment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.config import AgentSettings, Config
    from sideshoot.model import Job

_SET_BY = {
    "carry": "run.carry",
    "sandbox": "run.sandbox",
    "timeout_s": "run.timeout",
    "idle_timeout_s": "run.idle_timeout",
    "output_limit": "run.output_limit",
}

_MANNER = ("model", "effort", "agent_mode")
"""What has a value for each agent."""


def filled(
    config: Config, given: Mapping[str, Any], *, resumed: Job | None = None
) -> dict[str, Any]:
    """What the caller gave of a `Request`, and what is set for the rest of it.

    :param given: fields of `Request` by name, without those of which the caller says nothing.
    :param resumed: the job whose thread is gone on with, by the same agent and with its model.
    :raises ConsentNeeded: something would count that the user has to consent to first.
    :raises AgentUnavailable: no agent is installed.
    """
    missing = {field: key for field, key in _SET_BY.items() if field not in given}
    require_consent(config, *missing.values())
    facts = {field: config.value(key) for field, key in missing.items()} | dict(given)
    facts["carry"] = Carry(facts["carry"])
    if given.get("command"):
        return facts | {"agent": "command"}
    earlier = resumed.request if resumed else None
    agent = given.get("agent") or (earlier.agent if earlier else default_agent_name(config))
    for name in _MANNER:
        begun = getattr(earlier, name) if earlier and earlier.agent == agent else None
        facts[name] = given.get(name) or begun or _of_agent(config, agent, name)
    return facts | {"agent": agent}


def default_agent_name(config: Config) -> str:
    """The agent that does a task where none is named.

    :raises ConsentNeeded: the repository's file chooses one without the user's consent.
    :raises AgentUnavailable: none is installed.
    """
    require_consent(config, "run.agent")
    return config.value("run.agent") or first_installed(config)


def first_installed(config: Config) -> str:
    """The first agent that is installed: of ours, else of the user's own.

    :raises AgentUnavailable: none is.
    """
    from shutil import which  # noqa: PLC0415 - not to look at jobs

    from sideshoot.agents.registry import default_agent  # noqa: PLC0415 - the same

    try:
        return default_agent().name
    except AgentUnavailable:
        for name, own in config.agents.items():
            driver = driver_of(own)
            if driver is not None and which(driver.argv[0]) is not None:
                return name
        raise


def driver_of(agent: AgentSettings) -> Driver | None:
    """How an agent of the user's own is started; `None` for one that Sideshoot knows."""
    argv = agent.acp or agent.command
    if argv is None:
        return None
    protocol = "acp" if agent.acp else "command"
    return Driver(protocol, argv, dict(agent.environment), agent.writable)


def equipment_of(config: Config) -> Equipment:
    """What a new workspace is given."""
    wanted = config.workspace
    return Equipment(
        link=wanted.link,
        setup=wanted.setup,
        setup_timeout_s=config.value("workspace.setup_timeout"),
        pool=config.value("workspace.pool"),
        lfs=config.value("workspace.lfs"),
        cache=wanted.cache,
    )


def _of_agent(config: Config, agent: str, name: str) -> str | None:
    """The model and such of an agent: `run.model` is that of the default agent, and no other's."""
    common: str | None = config.value(f"run.{name}")
    if common is not None and agent == _whose(config):
        require_consent(config, f"run.{name}")
        return common
    settings = config.agents.get(agent)
    return getattr(settings, name) if settings else None


def _whose(config: Config) -> str:
    """The agent that `run.model` speaks of, also where the choice of it is not in force."""
    wanted = [item.text for item in config.untrusted if item.key == "run.agent"]
    return (wanted[0] if wanted else config.value("run.agent")) or first_installed(config)
