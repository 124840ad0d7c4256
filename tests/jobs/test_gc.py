"""What is held, and what goes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sideshoot.jobs import gc, service
from sideshoot.jobs.decide import discard_job, keep_job, restore_job
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.settings import load_config
from sideshoot.jobs.store import HELD
from sideshoot.workspace.keep_options import KeepOptions
from support.processes import await_true

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.model import Job
    from support.jobs import Gardener, Jobs

LATER = 15 * 86400.0


def discarded(jobs: Jobs, script: str = "echo x > made") -> Job:
    return discard_job(jobs.repository, jobs.store, jobs.run(script))


def plan(jobs: Jobs, later: float = 0.0) -> list[gc.Item]:
    config = load_config(jobs.repository, jobs.store)
    return gc.plan(jobs.repository, jobs.store, config, now=time.time() + later)


def going(items: list[gc.Item]) -> list[str | None]:
    return [item.job_id for item in items if item.goes and item.kind != "trash"]


def collect(jobs: Jobs, items: list[gc.Item]) -> list[str | None]:
    return going(gc.collect(jobs.repository, jobs.store, items))


def held(jobs: Jobs) -> int:
    return int(jobs.store.setting(HELD) or 0)


def refs(jobs: Jobs, job: Job) -> bytes:
    return jobs.repo.git("for-each-ref", f"refs/sideshoot/{job.id}/")


def test_nothing_that_is_open_ever_goes(jobs: Jobs) -> None:
    open_job = jobs.run("echo x > made")
    failed = jobs.run("echo x > made; exit 1")
    partly = jobs.run("echo x > one; echo x > two")
    keep_job(jobs.repository, jobs.store, partly, options=KeepOptions(paths=(b"one",)))
    running, _ = jobs.hang()
    waiting = jobs.create()
    jobs.store.set_setting("gc.max_size_mb", "0.000001")
    items = plan(jobs, 1000 * 86400.0)
    assert going(items) == []
    known = {open_job.id, failed.id, partly.id, running.id, waiting.id}
    assert {item.job_id for item in items if item.kind == "job"} == known
    assert all(item.size_bytes > 0 for item in items)
    service.work(jobs.repository, waiting.id)


def test_what_was_decided_goes_after_two_weeks(jobs: Jobs) -> None:
    job = discarded(jobs)
    kept = jobs.run("echo y > made2")
    keep_job(jobs.repository, jobs.store, kept, options=KeepOptions())
    assert going(plan(jobs)) == []
    assert refs(jobs, job)
    items = plan(jobs, LATER)
    assert sorted(map(str, going(items))) == sorted([job.id, kept.id])
    assert any("discarded more than 14 days ago" in item.why for item in items)
    assert collect(jobs, items) == going(items)
    for gone in (job, kept):
        assert refs(jobs, gone) == b""
        assert not jobs.folder(gone).top.exists()
    assert jobs.store.list() == []
    assert jobs.repo.read("made2") == b"y\n"


def test_how_long_it_is_held_can_be_chosen(jobs: Jobs) -> None:
    discarded(jobs)
    jobs.store.set_setting("gc.max_age_days", "30")
    assert going(plan(jobs, LATER)) == []
    jobs.store.set_setting("gc.max_age_days", "nonsense")
    assert len(going(plan(jobs, LATER))) == 1


def test_what_has_no_limit_goes_never(jobs: Jobs) -> None:
    discarded(jobs)
    jobs.store.set_setting("gc.max_age_days", "off")
    jobs.store.set_setting("gc.max_size_mb", "off")
    assert going(plan(jobs, 1000 * 86400.0)) == []


def test_the_oldest_go_when_all_are_too_large(jobs: Jobs) -> None:
    old = discarded(jobs, "head -c 3000000 /dev/urandom > made")
    new = discarded(jobs, "head -c 3000000 /dev/urandom > made")
    jobs.store.update(old.id, decided_at=time.time() - 3600)
    jobs.store.set_setting("gc.max_size_mb", "5")
    items = plan(jobs)
    assert going(items) == [old.id]
    assert gc.held_bytes(items) > 6_000_000
    jobs.store.set_setting("gc.max_size_mb", "1")
    assert going(plan(jobs)) == [old.id, new.id]


def test_what_was_restored_since_it_was_planned_stays(jobs: Jobs) -> None:
    job = discarded(jobs)
    items = plan(jobs, LATER)
    restore_job(jobs.repository, jobs.store, job)
    assert collect(jobs, items) == []
    assert refs(jobs, job)
    assert jobs.folder(job).record.exists()


def test_a_job_that_left_nothing_goes_as_well(jobs: Jobs) -> None:
    job = jobs.create()
    service.cancel(jobs.repository, job.id)
    assert going(plan(jobs)) == []
    assert collect(jobs, plan(jobs, LATER)) == [job.id]


def test_a_job_that_was_gone_on_with_goes_with_the_later_one(
    jobs: Jobs, gardener: Gardener
) -> None:
    first = gardener.works(jobs, "made1")
    second = gardener.works(jobs, "made2", resume=first.id)
    assert going(plan(jobs, LATER)) == []
    discard_job(jobs.repository, jobs.store, second)
    assert sorted(map(str, collect(jobs, plan(jobs, LATER)))) == sorted([first.id, second.id])


def test_a_folder_of_a_job_that_was_never_recorded(jobs: Jobs) -> None:
    folder = JobFolder(jobs.store.state_dir, "k3aaaa")
    folder.make()
    assert going(plan(jobs)) == []
    old = time.time() - 2 * 86400
    os.utime(folder.top, (old, old))
    assert collect(jobs, plan(jobs)) == ["k3aaaa"]
    assert not folder.top.exists()


def test_an_entry_of_a_workspace_that_is_gone(jobs: Jobs) -> None:
    job = jobs.run("echo x > made")
    entry = jobs.repository.common_dir / "worktrees" / job.id
    jobs.repo.git("worktree", "add", "-q", "--lock", "../elsewhere")
    saved = {path.name: path.read_bytes() for path in entry.iterdir() if path.is_file()}
    discard_job(jobs.repository, jobs.store, job)
    entry.mkdir(parents=True)
    for name, content in saved.items():
        (entry / name).write_bytes(content)
    items = [item for item in plan(jobs) if item.kind == "worktree"]
    assert [item.path for item in items] == [entry]
    gc.collect(jobs.repository, jobs.store, items)
    assert not entry.exists()
    assert jobs.repo.git("worktree", "list").count(b"\n") == 2


def test_the_end_of_a_job_adds_what_it_holds(jobs: Jobs) -> None:
    for count in (1, 2):
        job = jobs.run("head -c 3000000 /dev/urandom > made")
        gc.look_after(jobs.repository, jobs.store, job.id)
        assert count * 3_000_000 < held(jobs) <= gc.held_bytes(plan(jobs))


def test_now_and_then_all_is_counted_anew_by_another_process(jobs: Jobs) -> None:
    job = discarded(jobs)
    jobs.store.set_setting(HELD, str(10**12))
    jobs.store.set_setting("held.at", "1")
    gc.look_after(jobs.repository, jobs.store, job.id)
    await_true(lambda: held(jobs) < 10**12, "the count")
    assert held(jobs) > 0


def test_what_goes_is_no_longer_counted_at_once(jobs: Jobs) -> None:
    job = jobs.run("head -c 3000000 /dev/zero > made")
    gc.look_after(jobs.repository, jobs.store, job.id)
    assert held(jobs) > 3_000_000
    discard_job(jobs.repository, jobs.store, job)
    assert held(jobs) < 1_000_000


def test_an_object_that_several_jobs_hold_counts_once(jobs: Jobs) -> None:
    jobs.repo.write("large", os.urandom(2_000_000))
    for _ in range(3):
        discarded(jobs)
    stores = [item.held.store for item in plan(jobs) if item.kind == "job"]
    assert len(stores) == 3
    assert 2_000_000 < sum(stores) < 4_000_000


def test_a_file_with_several_names_counts_once(jobs: Jobs) -> None:
    job = jobs.run("head -c 3000000 /dev/urandom > one; ln one two; ln one three")
    [item] = [item for item in plan(jobs) if item.job_id == job.id]
    assert 3_000_000 < item.held.workspace < 4_000_000


def test_the_records_of_all_jobs_are_shown_and_stay(jobs: Jobs) -> None:
    discarded(jobs)
    [item] = [item for item in plan(jobs, LATER) if item.kind == "records"]
    assert item.held.store >= jobs.store.path.stat().st_size
    assert not item.goes


def test_the_trash_is_emptied(jobs: Jobs) -> None:
    trash = jobs.repository.state_dir / ".sideshoot-trash-abc"
    trash.mkdir()
    (trash / "file").write_text("x")
    items = [item for item in plan(jobs) if item.kind == "trash"]
    assert len(items) == 1
    gc.collect(jobs.repository, jobs.store, items)
    await_true(lambda: not trash.exists(), "the removal of the trash")


def test_trash_is_found_in_every_folder_that_held_workspaces(jobs: Jobs, tmp_path: Path) -> None:
    """Also where the process that deletes it was killed, and the user has chosen another since."""
    job = jobs.run("echo x > made", directory=str(tmp_path / "copies"))
    discard_job(jobs.repository, jobs.store, job)
    await_true(lambda: not (tmp_path / "copies").exists(), "the removal of the folder")
    trash = tmp_path / "copies" / ".sideshoot-trash-0123456789ab"
    trash.mkdir(parents=True)
    (trash / "left").write_text("x" * 10_000)

    items = [item for item in plan(jobs) if item.kind == "trash"]

    assert [(item.path, item.goes) for item in items] == [(tmp_path / "copies", True)]
    collect(jobs, items)
    await_true(lambda: not (tmp_path / "copies").exists(), "the removal of the trash")
