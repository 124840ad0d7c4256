"""What a project needs is done in a new workspace before the agent starts, or it does not start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.config import consent
from sideshoot.errors import CannotStart
from sideshoot.jobs import service
from sideshoot.jobs.events import read
from sideshoot.jobs.settings import load_config

if TYPE_CHECKING:
    from support.jobs import Gardener, Jobs


def wanted(jobs: Jobs, *commands: str, **more: str) -> None:
    """Write the repository's file, and consent to it."""
    lines = ["[workspace]", f"setup = {json.dumps(commands)}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    jobs.repo.write("sideshoot.toml", "\n".join(lines))
    jobs.repo.write(".gitignore", "built/\n")
    jobs.repo.commit("settings")
    consent(jobs.repository.common_dir, load_config(jobs.repository, jobs.store).untrusted)


def test_it_is_done_before_the_agent_starts(jobs: Jobs) -> None:
    wanted(jobs, "mkdir built && echo $SIDESHOOT_PORT >built/a", "cat built/a >built/b; pwd")
    job = jobs.run('cat built/b; echo "$SIDESHOOT_PORT"', subfolder="src")
    assert job.outcome == "succeeded", job.error
    events = list(read(jobs.folder(job).events))
    printed = [event.data for event in events if event.kind == "output"]
    assert printed[0] == {"stream": "stderr", "text": f"{job.worktree}\n"}
    assert [(e.data["command"], e.data["status"]) for e in events if e.kind == "command"][2:] == [
        ("cat built/a >built/b; pwd", "started"),
        ("cat built/a >built/b; pwd", "finished"),
    ]


def test_where_it_fails_the_agent_is_not_started(jobs: Jobs) -> None:
    wanted(jobs, "true", "echo no registry >&2; exit 3", "touch third")
    before = jobs.repo.fingerprint()
    created = jobs.create("touch agent")
    with pytest.raises(CannotStart, match=r"exit 3` of workspace.setup failed: exit status 3"):
        service.work(jobs.repository, created.id)
    job = jobs.get(created)
    assert (job.state, job.outcome) == ("finished", "failed")
    assert "the agent was not started" in (job.error or "")
    assert job.worktree is None  # Nothing was done in it.
    assert jobs.repo.fingerprint() == before


def test_what_it_left_is_still_there(jobs: Jobs) -> None:
    wanted(jobs, "echo half >half; exit 1")
    created = jobs.create()
    with pytest.raises(CannotStart):
        service.work(jobs.repository, created.id)
    assert jobs.content(created, "half") == b"half\n"
    assert jobs.get(created).worktree is not None


def test_it_has_a_limit_of_time(jobs: Jobs) -> None:
    wanted(jobs, "sleep 600", setup_timeout="1s")
    created = jobs.create()
    with pytest.raises(CannotStart, match=r"it took longer than workspace.setup_timeout"):
        service.work(jobs.repository, created.id)


def test_without_consent_nothing_is_begun(jobs: Jobs) -> None:
    jobs.repo.write("sideshoot.toml", '[workspace]\nsetup = ["touch ran"]\n')
    with pytest.raises(CannotStart, match="needs your consent"):
        jobs.create()
    assert jobs.store.list() == []


def test_a_workspace_that_is_gone_on_with_is_set_up_once(jobs: Jobs, gardener: Gardener) -> None:
    wanted(jobs, "mkdir -p built; echo once >>built/count")
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id)
    assert second.worktree is not None
    assert second.worktree == first.worktree
    assert (Path(second.worktree) / "built/count").read_text() == "once\n"
