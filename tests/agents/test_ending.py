"""Processes are ended together, in whatever order they are found."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.census import Process, census
from sideshoot.agents.ending import kill, terminate, wait_until
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Slowly(list[Process]):
    """Gives whoever was not come to yet the time to do what it would do."""

    def __init__(self, processes: list[Process], late: Path) -> None:
        super().__init__(processes)
        self._late = late

    def __iter__(self) -> Iterator[Process]:
        for process in super().__iter__():
            yield process
            wait_until(self._late.exists, 0.1)


@pytest.mark.parametrize("end", [terminate, kill])
def test_no_shell_goes_on_to_its_next_command(
    end: Callable[[Callable[[], list[Process]], float], object], tmp_path: Path
) -> None:
    sleep = long_sleep()
    late = tmp_path / "late"
    # Each in a session of its own, so that no signal to a group reaches both.
    script = f'setsid --wait {sleep}; echo late > "{late}"'
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as shell:
        await_true(lambda: bool(running(sleep)))
        children_first = [*running(sleep), shell.pid]

        def find() -> list[Process]:
            processes = census()
            found = [processes[pid] for pid in children_first if pid in processes]
            return Slowly([process for process in found if not process.zombie], late)

        end(find, 5)

    assert running(sleep) == []
    assert not late.exists()
    assert shell.returncode != os.EX_OK
