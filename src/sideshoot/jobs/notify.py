"""Tell the user that a background job has ended, as well as can be done; it never fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from sideshoot.jobs.settings import load_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job

COMMAND = "notify.command"
"""The setting that holds a command of the user's, for a shell; `off` means: tell me nothing."""

TERMINAL_VARIABLE = "SIDESHOOT_TERMINAL"
"""The terminal that a background job was started from."""

_TIME_LIMIT_S = 30


def terminal_name() -> str | None:
    """The terminal that this process writes to, if it does."""
    for stream in (2, 1, 0):
        with contextlib.suppress(OSError):
            return os.ttyname(stream)
    return None


def notify(repository: Repository, store: Store, job: Job) -> None:
    """Ring the bell of the terminal, notify the desktop, and run the user's command."""
    with contextlib.suppress(Exception):
        command = load_config(repository, store, lenient=True).value(COMMAND)
        if command == "off":
            return
        _ring(os.environ.get(TERMINAL_VARIABLE))
        for argv in _commands(job, command):
            _run(argv, job)


def _ring(terminal: str | None) -> None:
    if terminal is None:
        return
    with contextlib.suppress(OSError):
        handle = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            os.write(handle, b"\a")
        finally:
            os.close(handle)


def _commands(job: Job, command: str) -> list[Sequence[str]]:
    commands: list[Sequence[str]] = [["/bin/sh", "-c", command]] if command else []
    title, text = f"Job {job.id}: {job.outcome}", job.title[:200]
    if sys.platform == "darwin":
        script = (
            "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend"
        )
        commands.append(["osascript", "-e", script, title, text])
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        commands.append(["notify-send", "--app-name=sideshoot", "--", title, text])
    return [argv for argv in commands if shutil.which(argv[0])]


def _run(argv: Sequence[str], job: Job) -> None:
    facts = {
        "SIDESHOOT_ENDED_JOB": job.id,
        "SIDESHOOT_ENDED_OUTCOME": str(job.outcome),
        "SIDESHOOT_ENDED_TITLE": job.title,
    }
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        subprocess.run(
            argv,
            cwd=job.target,
            env={**os.environ, **facts},
            stdin=subprocess.DEVNULL,
            timeout=_TIME_LIMIT_S,
            check=False,
        )
