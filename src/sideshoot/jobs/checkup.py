"""What is here to work with: the agents and whether they are ready, git, and what holds an agent in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.agents.asking import LIMIT_S, ask, ignore
from sideshoot.agents.registry import agent_of
from sideshoot.config import require_consent
from sideshoot.errors import AgentUnavailable, BadConfiguration, ConsentNeeded, GitUnusable
from sideshoot.fence.mechanism import find_mechanism
from sideshoot.git.command import Git, ask_version
from sideshoot.jobs.defaults import driver_of, first_installed
from sideshoot.jobs.settings import agents_for_tasks
from sideshoot.model import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sideshoot.agents.base import Agent, Readiness
    from sideshoot.config import Config
    from sideshoot.fence.mechanism import Mechanism


@dataclass(frozen=True, slots=True)
class GitFound:
    """The git that is here."""

    version: str | None
    fault: str = ""
    """Why it will not do."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found."""

    agents: Mapping[str, Readiness]
    """By name, all that can be given a task."""
    default: str | None
    """The agent that does a task where none is named; `None` if there is none."""
    git: GitFound
    mechanism: Mechanism
    refused: str | None = None
    """Why what is set keeps a task from being begun."""

    @property
    def ready(self) -> bool:
        """Whether a task can be given without another word."""
        agent = self.agents.get(self.default) if self.default else None
        return agent is not None and agent.ready and not self.git.fault and self.refused is None


def check_up(
    config: Config,
    *,
    folder: Path,
    cache: Path | None = None,
    limit_s: float = LIMIT_S,
    waiting: Callable[[Sequence[str]], object] = ignore,
) -> Checkup:
    """Look for all of it; agents are asked themselves, side by side.

    :param folder: where git is started.
    :param cache: where is noted what was found of a fence.
    :param waiting: told which agents have not answered yet.
    """
    default = _default(config)
    return Checkup(
        ask(_agents(config), environments=_environments(config), limit_s=limit_s, waiting=waiting),
        default,
        _git(folder),
        find_mechanism(cache),
        _refused(config, default),
    )


def _agents(config: Config) -> list[Agent]:
    requests = []
    for name in agents_for_tasks(config):
        own = config.agents.get(name)
        requests.append(Request(name, driver=driver_of(own) if own else None))
    return [agent_of(request) for request in requests]


def _environments(config: Config) -> dict[str, Mapping[str, str]]:
    return {name: own.environment for name, own in config.agents.items()}


def _default(config: Config) -> str | None:
    chosen: str | None = config.value("run.agent")
    try:
        return chosen or first_installed(config)
    except AgentUnavailable:
        return None


def _refused(config: Config, default: str | None) -> str | None:
    try:
        require_consent(config, "run", "sandbox", "worktree", "workspace", f"agents.{default}")
    except ConsentNeeded as error:
        return str(error)
    return str(BadConfiguration(config.problems)) if config.problems else None


def _git(folder: Path) -> GitFound:
    try:
        version = ask_version(Git(folder))()
    except GitUnusable as error:
        return GitFound(None, str(error))
    return GitFound(".".join(map(str, version)))
