"""Who attends to a host ends with it, or when it says that it is done."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.hosts.attend import attending, door_of, let_go
from support.command import TIME_LIMIT_S, environment
from support.processes import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Process = subprocess.Popen[bytes]


@pytest.fixture
def host() -> Iterator[Process]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "door"


@pytest.fixture
def attendant(host: Process, door: Path) -> Iterator[Process]:
    """Somebody who attends to `host`, and is there."""
    with subprocess.Popen(attending(host.pid, door), env=environment({})) as process:
        await_true(door.exists, "its door is there")
        yield process
        process.kill()


def test_it_ends_when_the_host_has_ended(host: Process, attendant: Process, door: Path) -> None:
    assert attendant.poll() is None
    host.kill()
    host.wait(TIME_LIMIT_S)

    assert attendant.wait(TIME_LIMIT_S) == 0
    assert not door.exists()


def test_it_ends_when_somebody_knocks(host: Process, attendant: Process, door: Path) -> None:
    let_go(door)

    assert attendant.wait(TIME_LIMIT_S) == 0
    assert not door.exists()
    assert host.poll() is None


def test_knocking_where_nobody_is_does_nothing(door: Path) -> None:
    let_go(door)
    door.write_text("x")
    let_go(door)


def test_a_host_that_has_ended_is_not_waited_for(host: Process, door: Path) -> None:
    host.kill()
    host.wait(TIME_LIMIT_S)

    done = subprocess.run(attending(host.pid, door), env=environment({}), timeout=TIME_LIMIT_S)

    assert done.returncode == 0


def test_its_command_is_known_again(door: Path) -> None:
    assert door_of(attending(7, door)) == door
    assert door_of(("sleep", "600")) is None
    assert door_of(None) is None
