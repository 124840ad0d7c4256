"""Jobs whose workspaces are used again: each begins as in a new one, and nothing of any is lost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.jobs import gc
from sideshoot.jobs.decide import discard_job, keep_job, restore_job
from sideshoot.jobs.events import read
from sideshoot.jobs.settings import load_config
from sideshoot.workspace import pool
from sideshoot.workspace.keep_options import KeepOptions
from support.pooling import held, inode, settle
from support.workspaces import wait_until

if TYPE_CHECKING:
    from sideshoot.model import Job
    from support.jobs import Gardener, Jobs


@pytest.fixture
def pooling(jobs: Jobs) -> Jobs:
    """Jobs of a user who has set `workspace.pool`."""
    jobs.store.set_setting("workspace.pool", "1")
    return jobs


def folder_of(job: Job) -> int:
    assert job.worktree is not None
    return inode(Path(job.worktree))


def dropped(jobs: Jobs, script: str) -> int:
    """Discard a job; the folder that was its workspace."""
    job = jobs.run(script)
    number = folder_of(job)
    discard_job(jobs.repository, jobs.store, job)
    settle(jobs.repo)
    return number


def test_a_discarded_job_can_be_restored_and_kept(pooling: Jobs) -> None:
    first = pooling.run("echo first > made; echo x >> app.py; echo y > out.log")
    number = folder_of(first)
    discard_job(pooling.repository, pooling.store, first)
    settle(pooling.repo)
    second = pooling.run("test ! -e made && test ! -e out.log && echo second > made2")
    assert second.outcome == "succeeded"
    assert folder_of(second) == number
    restore_job(pooling.repository, pooling.store, first)
    keep_job(pooling.repository, pooling.store, first, options=KeepOptions())
    keep_job(pooling.repository, pooling.store, second, options=KeepOptions())
    assert pooling.repo.read("made") == b"first\n"
    assert pooling.repo.read("made2") == b"second\n"
    assert pooling.repo.read("app.py").endswith(b"x\n")


def test_after_a_keep_the_next_job_has_what_was_kept(pooling: Jobs) -> None:
    first = pooling.run("echo first > made; rm app.py")
    number = folder_of(first)
    keep_job(pooling.repository, pooling.store, first, options=KeepOptions())
    settle(pooling.repo)
    second = pooling.run("cat made; test ! -e app.py; git status --porcelain > /dev/null")
    assert folder_of(second) == number
    assert second.outcome == "succeeded"
    assert pooling.content(second, "made") == b"first\n"
    assert second.result is not None
    assert pooling.repo.text("diff", "--name-only", str(second.base), second.result) == ""


def test_a_workspace_that_was_gone_on_with_is_used_again(pooling: Jobs, gardener: Gardener) -> None:
    first = gardener.works(pooling, "made")
    number = folder_of(first)
    second = gardener.works(pooling, "made2", resume=first.id)
    assert folder_of(second) == number
    discard_job(pooling.repository, pooling.store, second)
    settle(pooling.repo)
    assert [inode(folder) for folder in held(pooling.repo)] == [number]


def test_setup_is_done_each_time_and_finds_the_caches(pooling: Jobs) -> None:
    pooling.repo.write(".gitignore", "built/\n")
    pooling.repo.commit("rules")
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    own.parent.mkdir(parents=True)
    command = "mkdir -p built && echo once more >> built/log"
    own.write_text(f'[workspace]\ncache = ["built"]\nsetup = [{json.dumps(command)}]\n')
    number = dropped(pooling, "true")
    second = pooling.run("cat built/log")
    assert folder_of(second) == number
    events = read(pooling.folder(second).events)
    printed = [event.data["text"] for event in events if event.kind == "output"]
    assert "".join(printed).count("once more") == 2
    assert second.ignored_count == 0
    assert second.result is not None
    assert pooling.repo.text("diff", "--name-only", str(second.base), second.result) == ""


def test_a_copy_to_look_at_is_taken_from_the_pool_and_given_back(pooling: Jobs) -> None:
    number = dropped(pooling, "echo x > made")
    looked = pooling.run("ls", isolation="read-only", base="HEAD")
    assert looked.worktree is None
    settle(pooling.repo)
    assert [inode(folder) for folder in held(pooling.repo)] == [number]


class TestWhatIsHeld:
    def plan(self, jobs: Jobs, later: float = 0.0) -> list[gc.Item]:
        config = load_config(jobs.repository, jobs.store)
        items = gc.plan(jobs.repository, jobs.store, config, now=time.time() + later)
        return [item for item in items if item.kind == "pool"]

    def test_it_is_counted_and_stays(self, pooling: Jobs) -> None:
        dropped(pooling, "true")
        (item,) = self.plan(pooling)
        assert item.path == held(pooling.repo)[0]
        assert item.size_bytes > 0
        assert (item.goes, item.why) == (False, "waits to be used again")

    @pytest.mark.parametrize(
        ("key", "value", "later", "why"),
        [
            ("workspace.pool", "off", 0.0, "more than workspace.pool"),
            ("gc.max_age_days", "3", 4 * 86400.0, "not used for more than 3 days"),
            ("gc.max_size_mb", "0.00001", 0.0, "all jobs together take more than they may"),
        ],
    )
    def test_what_is_due_goes(
        self, pooling: Jobs, key: str, value: str, later: float, why: str
    ) -> None:
        dropped(pooling, "true")
        pooling.store.set_setting(key, value)
        items = self.plan(pooling, later)
        assert [(item.goes, item.why) for item in items] == [(True, why)]
        assert gc.collect(pooling.repository, pooling.store, items) == items
        assert pool.entries(pooling.repository.common_dir) == []
        wait_until(lambda: not (pooling.repo.top / ".worktrees").exists())

    def test_a_folder_that_nobody_knows_of_is_trash(self, pooling: Jobs) -> None:
        dropped(pooling, "true")
        (folder,) = held(pooling.repo)
        stray = folder.with_name(f"{pool.PREFIX}stray")
        stray.mkdir()
        config = load_config(pooling.repository, pooling.store)
        items = gc.plan(pooling.repository, pooling.store, config)
        gc.collect(pooling.repository, pooling.store, [it for it in items if it.kind == "trash"])
        wait_until(lambda: not stray.exists())
        assert held(pooling.repo) == [folder]
