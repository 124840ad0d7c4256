"""Which process is meant."""

from __future__ import annotations

import os
import subprocess

from sideshoot.boot import boot_id
from sideshoot.jobs import identity


def test_a_process_is_known_by_its_beginning() -> None:
    ours = identity.started_at(os.getpid())
    assert ours is not None
    assert identity.started_at(os.getpid()) == ours
    assert boot_id() == boot_id()


def test_only_the_process_that_is_meant_is_killed() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        began = identity.started_at(process.pid)
        assert began is not None
        boot = boot_id()
        assert not identity.kill(process.pid, began - 1, boot)
        assert not identity.kill(process.pid, began, "another run")
        assert not identity.kill(None, began, boot)
        assert process.poll() is None
        assert identity.kill(process.pid, began, boot)
        assert process.wait(60) == -9
        assert not identity.kill(process.pid, began, boot)
        assert identity.started_at(process.pid) is None
