"""What can be set: names, kinds, defaults, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from sideshoot.config import kinds
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set."""

    key: str
    kind: Kind
    default: str
    meaning: str
    only_in_files: bool = False
    """Whether `sideshoot config KEY VALUE` can't set it."""


SETTINGS = (
    Setting("gate.enabled", kinds.SWITCH, "off", "whether a host's turns are reviewed as they end"),
    Setting("gate.max_per_session", kinds.NUMBER, "off", "so many turns of a session are reviewed"),
    Setting(
        "gate.cooldown", kinds.DURATION, "off", "how long after a review of a turn there is none"
    ),
    Setting(
        "gate.time_limit",
        kinds.DURATION,
        "10m",
        "a turn may end if its review takes longer than this",
    ),
    Setting("gc.max_age_days", kinds.NUMBER, "14", "how long a decided job is held"),
    Setting(
        "gc.max_size_mb", kinds.NUMBER, "5120", "decided jobs go earlier past this; status warns"
    ),
    Setting(
        "guard.enabled", kinds.SWITCH, "off", "whether a host is kept from starting agents bare"
    ),
    Setting(
        "notify.command",
        kinds.WORDS,
        "",
        "run by a shell when a background job ends; off: no notice",
    ),
    Setting("run.agent", kinds.AGENT, "", "who does a task; else the first that is installed"),
    Setting("run.model", kinds.TEXT, "", "the model of the agent that does a task by default"),
    Setting("run.effort", kinds.TEXT, "", "the reasoning effort of that agent"),
    Setting("run.agent_mode", kinds.TEXT, "", "the mode of that agent, where it has such"),
    Setting("run.carry", kinds.CARRY, "all", "which uncommitted changes a copy starts with"),
    Setting(
        "run.sandbox",
        kinds.LEVEL,
        "",
        "the fence around an agent; else write where it has no sandbox of its own",
    ),
    Setting("run.timeout", kinds.DURATION, "30m", "a job ends after this long"),
    Setting(
        "run.idle_timeout",
        kinds.DURATION,
        "off",
        "a job ends after this long without a sign of life",
    ),
    Setting("run.output_limit", kinds.SIZE, "off", "a job ends after this much output"),
    Setting(
        "sandbox.writable",
        kinds.FOLDERS,
        "[]",
        "what a fence leaves open besides the copy",
        only_in_files=True,
    ),
    Setting("worktree.dir", kinds.FOLDER, "", "where the copies lie; else in .worktrees"),
    Setting(
        "workspace.isolation",
        kinds.COPY,
        "worktree",
        "worktree, or clone: a copy with a repository of its own",
    ),
    Setting(
        "workspace.link", kinds.PATHS, "[]", "what a copy shares with your tree", only_in_files=True
    ),
    Setting("workspace.lfs", kinds.LFS, "", "skip: large files are pointers; pull: all are there"),
    Setting(
        "workspace.setup",
        kinds.COMMANDS,
        "[]",
        "run by a shell in a new copy, before the agent",
        only_in_files=True,
    ),
    Setting("workspace.setup_timeout", kinds.DURATION, "10m", "how long that may take"),
    Setting("workspace.pool", kinds.COUNT, "off", "so many finished copies are used again"),
    Setting(
        "workspace.cache",
        kinds.PATHS,
        "[]",
        "what stays in a copy that is used again, if git ignores it",
        only_in_files=True,
    ),
)

AGENT_SETTINGS = (
    Setting(
        "acp", kinds.ARGV, "", "starts it; it speaks the Agent Client Protocol", only_in_files=True
    ),
    Setting("command", kinds.ARGV, "", "does a task; {prompt} stands for it", only_in_files=True),
    Setting("model", kinds.TEXT, "", "its model", only_in_files=True),
    Setting("effort", kinds.TEXT, "", "its reasoning effort", only_in_files=True),
    Setting("agent_mode", kinds.TEXT, "", "its mode, where it has such", only_in_files=True),
    Setting("environment", kinds.VARIABLES, "{}", "variables for it", only_in_files=True),
    Setting("writable", kinds.FOLDERS, "[]", "what it may write in a fence", only_in_files=True),
)
"""What a table `[agents.NAME]` may hold."""

AGENTS = "agents"

Names: TypeAlias = tuple[str, ...]
"""The name of a setting, taken apart: `("run", "timeout")`, `("agents", "codex", "model")`."""

_BY_KEY = {setting.key: setting for setting in SETTINGS}
_OF_AGENTS = {setting.key: setting for setting in AGENT_SETTINGS}
_TABLES = sorted({setting.key.partition(".")[0] for setting in SETTINGS})


def named(key: str) -> Setting:
    """The setting of this name: `run.timeout`, or `agents.NAME.model`.

    :raises UsageError: there is none; the message says what may have been meant.
    """
    names = tuple(key.split("."))
    setting = at(names)
    if setting is None:
        raise UsageError(unknown(names))
    return setting


def at(names: Names) -> Setting | None:
    """The setting of this name, if there is one."""
    if any("." in name for name in names):
        return None
    if len(names) == 3 and names[0] == AGENTS and _can_be_agent(names[1]):
        found = _OF_AGENTS.get(names[2])
        return replace(found, key=".".join(names)) if found else None
    return _BY_KEY.get(".".join(names))


def may_hold(names: Names) -> bool:
    """Whether there are settings below this name."""
    if len(names) == 2:
        return names[0] == AGENTS and _can_be_agent(names[1])
    return names[0] in _TABLES


def unknown(names: Names) -> str:
    """What to say where a name is that no setting has."""
    key = ".".join(names)
    if any("." in name for name in names):
        return f"there is no setting {key!r} in quotes; write it without, or below [{names[0].partition('.')[0]}]"
    if may_hold(names):
        return f"{key} is a table: [{key}]"
    if key == AGENTS:
        return "agents is a table for each agent: [agents.NAME]"
    if names[0] == AGENTS and not _can_be_agent(names[1]):
        return f"{names[1]!r} can't name an agent: letters, digits, - and _ can, but for `command`"
    known = [*_BY_KEY]
    if names[0] == AGENTS:
        known = [f"{AGENTS}.{names[1]}.{field}" for field in _OF_AGENTS]
    return f"there is no setting {key!r}{_advice(key, known)}"


def _advice(key: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    ends = [one for one in known if key in (one.partition(".")[0], one.rpartition(".")[2])]
    tables = [f"[{name}]" for name in get_close_matches(key, [*_TABLES, AGENTS], 1, 0.75)]
    close = ends or tables or get_close_matches(key, known, 1, 0.7)
    return f" (did you mean {close[0]}?)" if close else f"; there are {', '.join(known)}"


def _can_be_agent(name: str) -> bool:
    return kinds.NAME.fullmatch(name) is not None and name != "command"
