"""End processes until none is left, and never this one."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from sideshoot.agents.census import census, descendants, environment_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.census import Process

    Find = Callable[[], list[Process]]

MARKER = "SIDESHOOT_JOB"
"""The variable that every process of a job carries; its value is the job's id."""

# A chain of processes that fork and end at once can slip between two entries of one census.
_EMPTY_LOOKS = 2


def mark(job_id: str) -> bytes:
    """The entry in the environment of a job's processes."""
    return os.fsencode(f"{MARKER}={job_id}")


def end_marked(job_id: str, *, terminate_s: float = 1.0, kill_s: float = 10.0) -> int:
    """End what a dead worker left: all processes of the job, and what descends from them.

    :param terminate_s: what they get, in seconds, to end by themselves.
    :param kill_s: what the kernel gets to take away the killed.
    :return: how many there were. This process is never one of them, even if it has the mark.
    """
    ended: set[int] = set()

    def find() -> list[Process]:
        found = _marked(mark(job_id))
        ended.update(process.pid for process in found)
        return found

    terminate(find, terminate_s)
    kill(find, kill_s)
    return len(ended)


def end_own(limit_s: float = 10.0) -> None:
    """End all that this process has started; for commands that start nothing which may stay."""

    def find() -> list[Process]:
        processes = census()
        found = descendants(processes, {os.getpid()}) - {os.getpid()}
        return [processes[pid] for pid in found if not processes[pid].zombie]

    kill(find, limit_s)


def terminate(find: Find, limit_s: float) -> None:
    """Ask all that `find` finds to end, and wait until none is found or the time is over.

    They are held until each has been asked: a shell would else go on with its script as soon as the
    command that it waits for has ended.
    """
    if limit_s and (alive := find()):
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            for process in alive:
                _send(process.pid, number)
        wait_until(lambda: not find(), limit_s)


def kill(find: Find, limit_s: float) -> tuple[int, ...]:
    """Kill what `find` finds until it finds nothing; return the pids that would not go.

    They are held first, for the same reason as in `terminate`. Whole process groups are killed as
    well: that is one step for the kernel, which a process that forks faster than we look can't
    outrun.
    """
    give_up = time.monotonic() + limit_s
    empty = 0
    while empty < _EMPTY_LOOKS:
        alive = find()
        empty = 0 if alive else empty + 1
        for process in alive:
            _send(process.pid, signal.SIGSTOP)
        for process in alive:
            _kill_one(process)
        if alive and time.monotonic() > give_up:
            return tuple(process.pid for process in alive)
        if alive:
            time.sleep(0.005)
    return ()


def interrupt_group(group: int) -> None:
    """What Ctrl-C does to a program in the foreground."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGINT)


def wait_until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Look again and again, at first often; whether it came true within the time."""
    give_up = time.monotonic() + limit_s
    pause = 0.005
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return True


def _marked(entry: bytes) -> list[Process]:
    processes = census()
    processes.pop(os.getpid(), None)
    roots = {pid for pid in processes if entry in environment_of(pid)}
    found = descendants(processes, roots)
    return [processes[pid] for pid in found if not processes[pid].zombie]


def _kill_one(process: Process) -> None:
    _send(process.pid, signal.SIGKILL)
    if process.session != os.getsid(0):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.group, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
