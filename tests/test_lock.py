"""Locks between processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import Busy
from sideshoot.lock import acquire, is_held, locked, wait_free

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from sideshoot.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that has the lock, until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path):
        assert is_held(path)
        with pytest.raises(Busy, match="try again"), locked(path, 0):
            pass
    assert not is_held(path)
    with locked(path, 0):
        pass


def test_a_file_that_is_not_there_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "none")
    assert wait_free(tmp_path / "none" / "at all")
    assert not (tmp_path / "none").exists()


def test_shared_holders_do_not_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, shared=True), locked(path, 0, shared=True):
        assert not is_held(path)
        with pytest.raises(Busy), locked(path, 0):
            pass


def test_busy_says_what_it_was_told(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock"),
        pytest.raises(Busy, match="the beds are taken"),
        locked(tmp_path / "lock", 0.01, busy="the beds are taken"),
    ):
        pass


def test_a_holder_that_is_killed_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = hold(path)
    assert is_held(path)
    assert not wait_free(path, 0.05)
    process.kill()
    assert wait_free(path, 60)
    process.communicate()
    assert not is_held(path)


def test_who_waits_is_woken_by_the_release(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = hold(path)
    taken: list[int | None] = []
    waiter = threading.Thread(target=lambda: taken.append(acquire(path, 60)))
    waiter.start()
    process.communicate("")
    waiter.join(60)
    (handle,) = taken
    assert handle is not None
    assert is_held(path)
    os.close(handle)


def test_a_waiter_that_gave_up_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = hold(path)
    assert acquire(path, 0.05) is None
    process.communicate("")
    assert not is_held(path)


def test_a_lock_lives_on_in_a_process_that_inherited_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    handle = acquire(path)
    assert handle is not None
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[handle]
    )
    os.close(handle)
    assert is_held(path)
    process.communicate(b"\n")
    assert wait_free(path, 60)
