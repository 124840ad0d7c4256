"""Ask several agents at once whether they can be used here."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from sideshoot.agents.base import Readiness
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sideshoot.agents.base import Agent

LIMIT_S = 90.0
"""How long all of them together may take, in seconds; each has limits of its own."""


def ignore(_: Sequence[str]) -> None:
    """What is called by default."""


def ask(
    agents: Iterable[Agent],
    *,
    environments: Mapping[str, Mapping[str, str]] | None = None,
    limit_s: float = LIMIT_S,
    waiting: Callable[[Sequence[str]], object] = ignore,
) -> dict[str, Readiness]:
    """What each says, by name, in the order in which they were asked.

    Who has not answered in time, or when this is interrupted, may have left a program at work: the
    caller ends it.

    :param environments: variables for an agent on top of ours, by its name.
    :param waiting: told at the beginning, and after each answer, who has not answered yet.
    """
    answers: queue.Queue[tuple[str, Readiness]] = queue.Queue()
    asked = list(agents)
    for agent in asked:
        environment = {**os.environ, **(environments or {}).get(agent.name, {})}
        arguments = (agent, environment, answers)
        threading.Thread(target=_put, args=arguments, daemon=True, name="asking").start()
    said: dict[str, Readiness] = {}
    end = time.monotonic() + limit_s
    while late := [agent.name for agent in asked if agent.name not in said]:
        waiting(late)
        try:
            name, readiness = answers.get(timeout=max(end - time.monotonic(), 0.0))
        except queue.Empty:
            detail = f"did not answer within {limit_s:g} seconds"
            said |= {name: Readiness(installed=True, answers=False, detail=detail) for name in late}
        else:
            said[name] = readiness
    return {agent.name: said[agent.name] for agent in asked}


def _put(
    agent: Agent, environment: Mapping[str, str], answers: queue.Queue[tuple[str, Readiness]]
) -> None:
    try:
        readiness = agent.readiness(environment)
    except Exception as error:  # noqa: BLE001 - one agent's defect is not that of the others
        readiness = Readiness(
            installed=True, answers=False, detail=one_line(f"can't be asked: {error}")
        )
    answers.put((agent.name, readiness))
