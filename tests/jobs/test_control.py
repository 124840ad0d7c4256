"""Requests to a worker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from sideshoot.jobs.control import CANCEL, Control, ask

if TYPE_CHECKING:
    from pathlib import Path


def test_a_request_reaches_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "control"
    asked = threading.Semaphore(0)
    with Control(path, {CANCEL: asked.release}):
        assert ask(path, "unknown")
        assert ask(path, CANCEL)
        assert asked.acquire(timeout=60)
        assert ask(path, CANCEL)
        assert asked.acquire(timeout=60)
    assert not path.exists()
    assert not ask(path, CANCEL)


def test_a_pipe_that_a_dead_worker_left(tmp_path: Path) -> None:
    path = tmp_path / "control"
    asked = threading.Event()
    with Control(path, {}):
        path.rename(tmp_path / "left")
    assert not ask(tmp_path / "left", CANCEL)
    (tmp_path / "left").rename(path)
    with Control(path, {CANCEL: asked.set}):
        assert ask(path, CANCEL)
        assert asked.wait(60)


@pytest.mark.parametrize("place", ["none", "file"])
def test_where_nobody_listens(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    answer = ask(tmp_path / place, CANCEL)
    # A file takes the word, and nobody reads it: who asks waits for the lock in any case.
    assert answer == (place == "file")


def test_without_pipes_a_worker_works_all_the_same(tmp_path: Path) -> None:
    with Control(tmp_path / "no" / "folder", {}):
        pass
