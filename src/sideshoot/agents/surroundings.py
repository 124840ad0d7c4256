"""The environment that an agent's program is started in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sideshoot.agents.base import Task

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
