"""Who works on a job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import WrongState
from sideshoot.jobs.claims import claim, holding, inherit, release
from sideshoot.jobs.folder import JobFolder
from sideshoot.lock import acquire, is_held

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    made = JobFolder(tmp_path, "k3aaaa")
    made.make()
    return made


def test_a_claim_is_held_until_it_is_worked_on_and_done(folder: JobFolder) -> None:
    claim(folder)
    assert is_held(folder.lock)
    with holding(folder):
        assert is_held(folder.lock)
        with pytest.raises(WrongState, match="worker already"), holding(folder):
            pass
    assert not is_held(folder.lock)


def test_a_claim_can_be_let_go(folder: JobFolder) -> None:
    claim(folder)
    release(folder)
    assert not is_held(folder.lock)
    release(folder)


def test_what_nobody_claimed_can_be_held(folder: JobFolder) -> None:
    with holding(folder):
        assert is_held(folder.lock)


def test_a_job_that_is_not_there_can_not_be_held(tmp_path: Path) -> None:
    with pytest.raises(WrongState), holding(JobFolder(tmp_path, "k3aaaa")):
        pass


def test_an_inherited_lock_is_not_passed_on(folder: JobFolder) -> None:
    handle = acquire(folder.lock)
    assert handle is not None
    os.set_inheritable(handle, True)
    inherit(folder, handle)
    assert not os.get_inheritable(handle)
    with holding(folder) as held:
        assert held == handle
    assert not is_held(folder.lock)
