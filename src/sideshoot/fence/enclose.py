"""The command that starts a program inside a fence, and the environment that it finds there."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import AgentUnavailable
from sideshoot.fence.bubblewrap import TEMP, bubblewrap_argv
from sideshoot.fence.landlock import ENTER, landlock_argv
from sideshoot.fence.mechanism import Kind, find_mechanism
from sideshoot.fence.model import Level
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Fence

# Names of what is not there inside, or must not be reached.
_OUTSIDE = frozenset(
    {
        "DBUS_SESSION_BUS_ADDRESS",
        "DBUS_SYSTEM_BUS_ADDRESS",
        "DISPLAY",
        "SESSION_MANAGER",
        "SSH_AGENT_PID",
        "SSH_AUTH_SOCK",
        "STY",
        "TMUX",
        "TMUX_PANE",
        "WAYLAND_DISPLAY",
        "XDG_RUNTIME_DIR",
    }
)

_CACHES = {"GOCACHE": "go-build", "UV_CACHE_DIR": "uv", "npm_config_cache": "npm"}
"""For programs that don't work at all when their cache in the home folder can't be written."""


def fenced_argv(
    fence: Fence,
    argv: Sequence[str],
    cwd: Path,
    *,
    mechanism: Mechanism | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """The command that runs `argv` inside of the fence; `argv` itself if the level is off.

    Start it in `cwd` with `fenced_environment`. Standard input and output are the program's, and so
    is the exit status: 128 and the signal's number if one ended it. Signals reach the program when
    they are sent to the process group, or to each process. Killed, or left by the thread that
    started it, it takes all with it that runs inside (Landlock: the program alone).

    :param mechanism: by default the best that works here, tried anew.
    :param environment: of the program, by default this process's; says where its folders are.
    :raises CannotStart: a fence of this level can't be put up.
    :raises AgentUnavailable: there is no such program.
    """
    if fence.level is Level.OFF:
        return list(argv)
    environment = os.environ if environment is None else environment
    mechanism = mechanism or find_mechanism()
    mechanism.require(fence.level)
    _check_program(argv, cwd, environment)
    if mechanism.kind is Kind.LANDLOCK:
        return [*landlock_argv(fence), *argv]
    before = bubblewrap_argv(mechanism.program, mechanism.options, fence, cwd, environment)
    return [*before, *ENTER, "bubblewrap", "--", *argv]


def fenced_environment(
    fence: Fence, environment: Mapping[str, str], *, mechanism: Mechanism
) -> dict[str, str]:
    """The variables of a program inside: temporary files go where it may write, and nothing names
    a socket of another program's."""
    if fence.level is Level.OFF:
        return dict(environment)
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _OUTSIDE and not _names_socket(value)
    }
    temp = TEMP if mechanism.kind is Kind.BUBBLEWRAP else fence.temp
    if temp is None:
        return kept
    folders = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temp))
    return kept | folders | {name: str(temp / "cache" / at) for name, at in _CACHES.items()}


def _names_socket(value: str) -> bool:
    path = value.removeprefix("unix:").removeprefix("path=")
    if not path.startswith("/"):
        return False
    try:
        return stat.S_ISSOCK(Path(path.removeprefix("//")).stat().st_mode)
    except (OSError, ValueError):
        return False


def _check_program(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
    name = argv[0] if argv else ""
    path = os.pathsep.join(str(cwd / place) for place in os.get_exec_path(environment))
    if not shutil.which(cwd / name if "/" in name else name, path=path):
        raise AgentUnavailable(
            f"cannot start {show_path(name)!r}: there is no such program, or it is not executable; "
            "check its name and PATH"
        )
