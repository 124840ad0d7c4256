"""What an agent's program is started in: its environment, and the fence around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sideshoot.errors import AgentUnavailable, CannotStart
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sideshoot.agents.base import Task
    from sideshoot.fence.model import Level

# What `git rev-parse --local-env-vars` names. Inherited from a hook or an alias they would lead
# the agent's git out of the workspace, into the repository that the caller was in.
_LEADS_GIT_ASTRAY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)


def surroundings(task: Task) -> dict[str, str]:
    """The caller's variables with those of the task, in the task's folder."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in _LEADS_GIT_ASTRAY and name != "OLDPWD"
    }
    return inherited | {"PWD": str(task.folder)} | dict(task.environment)


def refuse_offline(agent: str, level: Level) -> None:
    """:raises CannotStart: the agent would be cut off from its model."""
    if level == "offline":
        raise CannotStart(
            f"--sandbox offline is not possible with {agent}, which reaches its model by network; "
            "choose --sandbox write or off"
        )


def refuse_unnamable(agent: str, *folders: Path) -> None:
    """Make sure that an agent that knows names as text alone is told of the right folders.

    One whose name is not UTF-8 has no place in JSON, and to a program in JavaScript it is another
    folder, which is not there or not ours.

    :raises AgentUnavailable: there is such a folder among them.
    """
    for folder in folders:
        try:
            os.fsencode(folder).decode()
        except UnicodeDecodeError:
            raise AgentUnavailable(
                f"{agent} works only in folders whose names are UTF-8, and {show_path(folder)} is"
                " none; rename it, or let a command do the work: `sideshoot run -- COMMAND`"
            ) from None


def enclosed(task: Task, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What to start for `argv`, and with which variables, so that it runs inside the task's fence.

    Without a fence that is `argv` itself. Start it in `task.folder`, from a thread that outlives the
    program: when that thread ends, what is inside the fence is killed.

    :raises AgentUnavailable: there is no such program.
    :raises CannotStart: the fence can't be put up.
    """
    environment = surroundings(task)
    if task.fence is None or task.mechanism is None:
        return list(argv), environment
    from sideshoot.fence.enclose import (  # noqa: PLC0415 - only for a fence
        fenced_argv,
        fenced_environment,
    )

    fenced = fenced_argv(
        task.fence, argv, task.folder, mechanism=task.mechanism, environment=environment
    )
    return fenced, fenced_environment(task.fence, environment, mechanism=task.mechanism)
