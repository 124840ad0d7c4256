"""The records of jobs."""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import AmbiguousJob, CannotStart, JobNotFound, StoreDamaged, WrongState
from sideshoot.jobs import schema
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.record import from_record, to_record
from sideshoot.jobs.store import Store
from sideshoot.model import (
    Carry,
    Copy,
    Decision,
    Driver,
    Equipment,
    Isolation,
    Job,
    JobId,
    Outcome,
    Request,
    Reviewed,
    ReviewKind,
    State,
)

if TYPE_CHECKING:
    from pathlib import Path

FULL = Job(
    id=JobId("k3full"),
    request=Request(
        agent="codex",
        prompt="weed \udcff the beds",
        command=("sh", "-c", "\udcfe"),
        model="m",
        effort="high",
        agent_mode="plan",
        driver=Driver("acp", ("goose", "\udcfc"), {"BED": "north"}, ("~/.goose",)),
        equipment=Equipment(("node_modules",), ("make deps",), 60.0, 2, "skip", (".venv",)),
        carry=Carry.TRACKED,
        base="main",
        isolation=Isolation.IN_PLACE,
        copy=Copy.CLONE,
        timeout_s=None,
        idle_timeout_s=3.5,
        output_limit=1,
        resume="k2bbbb",
        thread="t-1",
        sandbox="write",
        writable=("~/.seeds",),
        directory="/copies",
        environment={"SEED": "bean"},
        name="a name",
        sparse=("src", "a \udcff"),
        subfolder="src",
        review=Reviewed(
            kind=ReviewKind.ADVERSARIAL,
            what="the working tree",
            before="d" * 40,
            after="e" * 40,
            paths=("a \udcff", "b"),
            job="k2cccc",
        ),
        from_review="k2dddd",
    ),
    state=State.FINISHED,
    outcome=Outcome.TIMED_OUT,
    decision=Decision.PARTLY_KEPT,
    created_at=1.25,
    started_at=2.0,
    finished_at=3.0,
    session="session \udcff",
    target="/top/\udcff",
    worktree="/top/.worktrees/k3full",
    git_dir="/top/.git/worktrees/k3full",
    opened=True,
    branch="sideshoot/k3full",
    head="a" * 40,
    base="b" * 40,
    result="c" * 40,
    mechanism="landlock",
    exit_code=-9,
    message="said",
    error="why",
    thread_id="t",
    usage={"total_tokens": 3},
    warnings=("one", "two"),
    kept_paths=("a", "b"),
    ignored_count=2,
    ignored_paths=("build/",),
    continued_by="k4dddd",
    decided_at=4.0,
    worker_pid=99,
    worker_started=5.5,
    boot_id="boot",
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "state")


def job(job_id: str = "k3aaaa", **facts: object) -> Job:
    return dataclasses.replace(Job(JobId(job_id), Request("command")), **facts)  # type: ignore[arg-type]


def add(store: Store, *jobs: Job) -> None:
    for each in jobs:
        JobFolder(store.state_dir, each.id).make()
        store.add(each)


def test_the_full_job_of_these_tests_has_a_value_in_every_field() -> None:
    plain = Job(JobId(""), Request(""))
    for field in dataclasses.fields(Job):
        assert getattr(FULL, field.name) != getattr(plain, field.name), field.name
    for field in dataclasses.fields(Request):
        assert getattr(FULL.request, field.name) != getattr(plain.request, field.name), field.name


def test_a_job_comes_back_as_it_was_recorded(store: Store) -> None:
    add(store, FULL)
    found = store.get("k3full")
    assert dataclasses.replace(found, session=FULL.session) == FULL
    assert found.session == "session \\udcff"
    assert json.loads(JobFolder(store.state_dir, "k3full").record.read_text()) == json.loads(
        json.dumps(to_record(FULL))
    )


def test_fields_of_another_version_are_no_hindrance() -> None:
    record = json.loads(json.dumps(to_record(FULL)))
    record["from_the_future"] = 1
    record["request"]["from_the_future"] = 1
    del record["ignored_paths"], record["usage"], record["request"]["output_limit"]
    assert from_record(record) == dataclasses.replace(
        FULL,
        ignored_paths=(),
        usage={},
        request=dataclasses.replace(FULL.request, output_limit=None),
    )


def test_an_id_is_taken_once(store: Store) -> None:
    add(store, job())
    with pytest.raises(WrongState, match="k3aaaa already"):
        store.add(job())


def test_a_job_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    add(store, job("k3aaaa"), job("k3bbbb"), job("m3bbbb"))
    assert store.find("k3a").id == "k3aaaa"
    assert store.find(" M3 ").id == "m3bbbb"
    assert store.find("k3bbbb").id == "k3bbbb"
    with pytest.raises(AmbiguousJob, match="k3aaaa, k3bbbb") as error:
        store.find("k")
    assert error.value.candidates == ("k3aaaa", "k3bbbb")


@pytest.mark.parametrize(
    "word", ["", "x", "*", "k?aaaa", "k[3]aaaa", "k3aaaab", "\udcff", "é", "'"]
)
def test_what_names_no_job_finds_none(store: Store, word: str) -> None:
    add(store, job("k3aaaa"))
    with pytest.raises(JobNotFound):
        store.find(word)


def test_a_job_that_is_not_there(store: Store) -> None:
    with pytest.raises(JobNotFound):
        store.get("k3aaaa")
    with pytest.raises(JobNotFound):
        store.update("k3aaaa", state=State.RUNNING)


def test_jobs_are_listed_newest_first(store: Store) -> None:
    add(
        store,
        job("k3aaaa", created_at=1.0, session="one"),
        job("k3bbbb", created_at=3.0, session="two", state=State.RUNNING),
        job("k3cccc", created_at=2.0, session="one", state=State.FINISHED),
    )
    assert [each.id for each in store.list()] == ["k3bbbb", "k3cccc", "k3aaaa"]
    assert [each.id for each in store.list(limit=2)] == ["k3bbbb", "k3cccc"]
    assert [each.id for each in store.list(session="one")] == ["k3cccc", "k3aaaa"]
    active = store.list(states=(State.QUEUED, State.RUNNING))
    assert [each.id for each in active] == ["k3bbbb", "k3aaaa"]
    assert store.count() == 3


def test_unsettled_jobs_are_those_that_something_is_left_to_do_for(store: Store) -> None:
    done = {"state": State.FINISHED, "worktree": "/w"}
    add(
        store,
        job("k3aaaa"),
        job("k3bbbb", state=State.RUNNING),
        job("k3cccc", **done),
        job("k3dddd", decision=Decision.PARTLY_KEPT, **done),
        job("k3eeee", decision=Decision.KEPT, **done),
        job("k3ffff", decision=Decision.DISCARDED, **done),
        job("k3gggg", decision=Decision.DISCARDED, state=State.FINISHED),
    )
    assert [each.id for each in store.unsettled()] == ["k3aaaa", "k3bbbb", "k3eeee", "k3ffff"]


def test_a_change_needs_the_expected_state(store: Store) -> None:
    add(store, job())
    running = store.update("k3aaaa", expect=State.QUEUED, state=State.RUNNING, worker_pid=7)
    assert running == store.get("k3aaaa")
    assert (running.state, running.worker_pid) == (State.RUNNING, 7)
    with pytest.raises(WrongState, match="k3aaaa is running"):
        store.update("k3aaaa", expect=State.QUEUED, state=State.FINISHED)
    with pytest.raises(WrongState, match="k3aaaa is running"):
        store.update("k3aaaa", decision_expect=(Decision.KEPT,), message="lost")
    assert store.get("k3aaaa") == running


def test_a_decision_is_made_once(store: Store) -> None:
    add(store, job(state=State.FINISHED))
    store.update("k3aaaa", decision_expect=Decision.OPEN, decision=Decision.KEPT)
    with pytest.raises(WrongState, match="k3aaaa is kept already"):
        store.update("k3aaaa", decision_expect=Decision.OPEN, decision=Decision.DISCARDED)


def test_of_many_threads_one_gets_the_job(store: Store) -> None:
    add(store, job())
    won: list[int] = []

    def take(number: int) -> None:
        try:
            store.update("k3aaaa", expect=State.QUEUED, state=State.RUNNING, worker_pid=number)
        except WrongState:
            return
        won.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert won == [store.get("k3aaaa").worker_pid]


TAKE = """
import sys
from pathlib import Path
from sideshoot.errors import WrongState
from sideshoot.jobs.store import Store
from sideshoot.model import State
store = Store.open(Path(sys.argv[1]))
print("ready", flush=True)
input()
won = 0
for job in store.list():
    try:
        store.update(job.id, expect=State.QUEUED, state=State.RUNNING)
        won += 1
    except WrongState:
        pass
print(won)
"""


def test_of_many_processes_each_job_goes_to_one(store: Store) -> None:
    add(store, *(job(f"k3aa{number:02}") for number in range(40)))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(store.state_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    won = [int(process.communicate("go\n", timeout=60)[0]) for process in processes]
    assert sum(won) == 40
    assert {each.state for each in store.list()} == {State.RUNNING}


OPEN = """
import sys
from pathlib import Path
from sideshoot.jobs.store import Store
input()
Store.open(Path(sys.argv[1])).set_setting(sys.argv[2], "set")
"""


def test_many_processes_may_make_the_store_at_once(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(state_dir), str(number)], stdin=subprocess.PIPE
        )
        for number in range(8)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 8
    store = Store.open(state_dir)
    assert [store.setting(str(number)) for number in range(8)] == ["set"] * 8


def test_settings(store: Store) -> None:
    assert store.setting("gate") is None
    store.set_setting("gate", "on")
    store.set_setting("gate", "off")
    assert store.setting("gate") == "off"
    store.set_setting("gate", None)
    assert store.setting("gate") is None


def test_only_finished_jobs_can_be_forgotten(store: Store) -> None:
    add(store, job("k3aaaa"), job("k3bbbb", state=State.FINISHED))
    assert not store.forget("k3aaaa")
    assert store.forget("k3bbbb")
    assert [each.id for each in store.list()] == ["k3aaaa"]


def test_the_store_is_in_wal_mode(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    add(store, job())
    store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(CannotStart, match="update Sideshoot"):
        Store.open(store.state_dir)


def test_every_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    for version in range(schema.VERSION):
        state_dir = tmp_path / str(version)
        state_dir.mkdir()
        with closing(sqlite3.connect(state_dir / "sideshoot.db")) as connection:
            for statements in schema.MIGRATIONS[:version]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.commit()
        store = Store.open(state_dir)
        add(store, FULL)
        assert store.get(FULL.id).result == FULL.result


def test_a_migration_that_fails_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, job())
    store.close()
    broken = (*schema.MIGRATIONS, ("CREATE TABLE extra (id TEXT)", "CREATE NONSENSE"))
    monkeypatch.setattr(schema, "MIGRATIONS", broken)
    monkeypatch.setattr(schema, "VERSION", len(broken))
    with pytest.raises(CannotStart):
        Store.open(store.state_dir)
    monkeypatch.undo()
    assert [each.id for each in Store.open(store.state_dir).list()] == ["k3aaaa"]


def test_a_damaged_store_is_said_to_be_so(store: Store) -> None:
    add(store, job())
    store.close()
    store.path.write_bytes(b"no database" * 500)
    with pytest.raises(StoreDamaged, match="gc --rebuild"):
        Store.open(store.state_dir).list()


def test_a_store_without_its_tables_is_damaged(store: Store) -> None:
    store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DROP TABLE job")
    with pytest.raises(StoreDamaged):
        Store.open(store.state_dir).list()


def test_a_record_that_is_no_json_is_damage(store: Store) -> None:
    add(store, job())
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("UPDATE job SET record = '{'")
        connection.commit()
    with pytest.raises(StoreDamaged, match="k3aaaa"):
        store.get("k3aaaa")


def test_a_store_that_was_deleted_comes_back_from_the_job_folders(store: Store) -> None:
    add(store, FULL, job("k3aaaa"), job("k3bbbb"))
    store.update("k3aaaa", state=State.RUNNING)
    JobFolder(store.state_dir, "k3bbbb").record.write_text("torn {")
    store.path.unlink()
    assert {each.id: each.state for each in store.list()} == {
        "k3full": State.FINISHED,
        "k3aaaa": State.RUNNING,
    }
    assert store.get("k3full").result == FULL.result


@pytest.mark.parametrize("rest", [b"", b"SQLite format 3"])
def test_a_store_that_was_cut_off_comes_back_from_the_job_folders(
    store: Store, rest: bytes
) -> None:
    add(store, FULL)
    store.close()
    store.path.write_bytes(rest)
    assert Store.open(store.state_dir).get("k3full").result == FULL.result


def test_a_full_disk_does_not_keep_a_job_from_ending(store: Store) -> None:
    add(store, job(state=State.RUNNING))
    folder = JobFolder(store.state_dir, "k3aaaa")
    folder.remove()
    assert store.update("k3aaaa", state=State.FINISHED).state is State.FINISHED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CannotStart, match="Permission denied"):
        Store.open(tmp_path / "state")


def test_a_place_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="can't use"):
        Store.open(tmp_path / "file" / "state")


def test_the_store_is_quick_to_import() -> None:
    script = (
        "import sys; import sideshoot.jobs.store, sideshoot.jobs.events, sideshoot.lock; "
        "print(*sorted({'asyncio','rich','psutil','msgspec','subprocess','unidiff'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.split() == []
