"""Who is alive: a census of the machine's processes, with what tells whose they are.

On Linux it reads `/proc`; elsewhere it asks psutil, which is imported only there.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Process:
    """One process as the kernel has it at this moment."""

    pid: int
    parent: int
    group: int
    session: int
    zombie: bool
    started: float
    """In the kernel's own unit; with the pid it names a process, since pids are used again."""


def census() -> dict[int, Process]:
    """All processes by pid. Those that begin or end meanwhile may be in it or not."""
    found = _from_proc() if _LINUX else _from_psutil()
    return {process.pid: process for process in found}


def start_of(pid: int) -> float:
    """When a process began (`Process.started`); infinity if there is no such process."""
    stat = _read(f"/proc/{pid}/stat") if _LINUX else None
    found = _parse_stat(pid, stat) if stat else census().get(pid)
    return found.started if found else math.inf


def environment_of(pid: int) -> frozenset[bytes]:
    """The `NAME=value` entries that a process was started with; empty if they can't be read."""
    if _LINUX:
        return frozenset((_read(f"/proc/{pid}/environ") or b"").split(b"\0")) - {b""}
    return _environment_by_psutil(pid)


def descendants(processes: dict[int, Process], roots: Collection[int]) -> set[int]:
    """`roots` and all that descend from them, by pid."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    ahead = [pid for pid in roots if pid in processes]
    while ahead:
        pid = ahead.pop()
        if pid not in found:
            found.add(pid)
            ahead += children.get(pid, [])
    return found


def _from_proc() -> Iterable[Process]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (stat := _read(f"/proc/{entry.name}/stat")):
            yield _parse_stat(int(entry.name), stat)


def _read(place: str) -> bytes | None:
    """All of a small file; `None` where the process ended meanwhile or is somebody else's."""
    try:
        with open(place, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def _parse_stat(pid: int, stat: bytes) -> Process:
    # proc(5): the program's name stands in parentheses and may hold blanks and parentheses itself.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return Process(
        pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        zombie=fields[0] in (b"Z", b"X"),
        started=float(fields[19]),
    )


def _from_psutil() -> Iterable[Process]:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    for process in psutil.process_iter():
        try:
            facts = process.as_dict(["pid", "ppid", "status", "create_time"])
            group, session = os.getpgid(process.pid), os.getsid(process.pid)
        except (psutil.Error, OSError):
            continue
        zombie = facts["status"] == psutil.STATUS_ZOMBIE
        yield Process(
            facts["pid"], facts["ppid"] or 0, group, session, zombie, facts["create_time"] or 0.0
        )


def _environment_by_psutil(pid: int) -> frozenset[bytes]:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        variables = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return frozenset()
    return frozenset(os.fsencode(f"{name}={value}") for name, value in variables.items())
