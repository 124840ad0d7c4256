"""Processes of a test: started so that they can be told apart, and looked for."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

import psutil

from sideshoot.agents.ending import mark

if TYPE_CHECKING:
    from collections.abc import Callable

TIME_LIMIT_S = 80.0
"""Generous: a limit is there to end a hang, not to measure; an agent may take half a minute to start
on a machine at work."""

_numbers = itertools.count()


def long_sleep() -> str:
    """A `sleep` of about an hour whose argument no other process on the machine has."""
    return f"sleep 3600.{os.getpid()}{time.monotonic_ns()}{next(_numbers)}"


def running(words: str) -> list[int]:
    """The processes with just these words in their command lines, zombies left out."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        line = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and _contains(line, words.split()):
            found.append(process.pid)
    return found


def of_the_job(job_id: str) -> list[psutil.Process]:
    """All other processes that carry the job's marker."""
    name, _, value = mark(job_id).decode().partition("=")
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def zombies() -> list[int]:
    """Children of this process that ended and that nobody took notice of."""
    return [
        child.pid
        for child in psutil.Process().children()
        if child.is_running() and child.status() == psutil.STATUS_ZOMBIE
    ]


def await_true(condition: Callable[[], object], what: str = "") -> None:
    """Look until `condition` holds; the test fails if it does not within `TIME_LIMIT_S`."""
    give_up = time.monotonic() + TIME_LIMIT_S
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain for {what or condition}"
        time.sleep(0.01)


def _contains(line: list[str], words: list[str]) -> bool:
    size = len(words)
    return any(line[at : at + size] == words for at in range(len(line) - size + 1))
