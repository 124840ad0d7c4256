"""The agents by name. Each is imported only when it is asked for."""

from __future__ import annotations

import importlib
import shutil
from typing import TYPE_CHECKING, NamedTuple, cast

from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from sideshoot.agents.base import Agent
    from sideshoot.model import Request


class _Known(NamedTuple):
    place: str
    """The module and the class in it."""
    program: str | None = None
    """What has to be on PATH for it; `None` where nothing has to be."""


_KNOWN = {
    "claude": _Known("sideshoot.agents.claude:ClaudeAgent", "claude"),
    "codex": _Known("sideshoot.agents.codex:CodexAgent", "codex"),
    "command": _Known("sideshoot.agents.command:CommandAgent"),
    "gemini": _Known("sideshoot.agents.gemini:GeminiAgent", "gemini"),
    "opencode": _Known("sideshoot.agents.opencode:OpenCodeAgent", "opencode"),
}

_PREFERRED = ("codex", "opencode", "claude", "gemini")
"""The order in which `default_agent` looks for one that is installed."""


def names() -> tuple[str, ...]:
    """The names of all agents."""
    return tuple(sorted(_KNOWN))


def agent_named(name: str) -> Agent:
    """The agent of this name.

    :raises AgentUnavailable: there is none; the message lists those that there are.
    """
    known = _KNOWN.get(name)
    if known is None:
        raise AgentUnavailable(f"no agent {name!r}; there are: {', '.join(names())}")
    module, _, attribute = known.place.partition(":")
    return cast("Agent", getattr(importlib.import_module(module), attribute)())


def agent_of(request: Request) -> Agent:
    """The agent that a job was asked of: one of ours, or one of the user's own.

    :raises AgentUnavailable: there is none of this name.
    """
    driver = request.driver
    if driver is None:
        return agent_named(request.agent)
    if driver.protocol == "acp":
        from sideshoot.agents.acp import AcpAgent  # noqa: PLC0415 - only for such an agent

        return AcpAgent(request.agent, driver)
    from sideshoot.agents.template import TemplateAgent  # noqa: PLC0415

    return TemplateAgent(request.agent, driver)


def is_installed(name: str) -> bool:
    """Whether the agent's program is on PATH; a quick look, not a question to the program."""
    known = _KNOWN.get(name)
    return known is not None and (known.program is None or shutil.which(known.program) is not None)


def default_agent() -> Agent:
    """The first agent for tasks that is installed.

    :raises AgentUnavailable: none is.
    """
    candidates = [name for name in _PREFERRED if name in _KNOWN]
    for name in candidates:
        if is_installed(name):
            return agent_named(name)
    raise AgentUnavailable(
        f"no agent is installed; install one of: {', '.join(candidates)}"
        " (`npm install -g @openai/codex`), or run a command: `sideshoot run -- COMMAND`"
    )
