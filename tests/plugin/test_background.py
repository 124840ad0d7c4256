"""Each end of a job is told once, to whoever is there to hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.store import Store
from sideshoot.model import Job, JobId, Outcome, Request, State
from sideshoot.plugin.background import KEY, began, ended, inherit, leave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.repos import Repo


@pytest.fixture
def store(repo: Repo) -> Store:
    return Store.open(discover(repo.top).state_dir)


def begin(store: Store, job_id: str, session: str | None, *, noted: bool = True) -> None:
    """A job is at work."""
    request = Request("codex", prompt="fix it")
    job = Job(JobId(job_id), request=request, state=State.RUNNING, session=session, created_at=1.0)
    JobFolder(store.state_dir, job.id).make()
    store.add(job)
    if noted:
        began(store, job)


def end(store: Store, job_id: str) -> None:
    store.update(job_id, state=State.FINISHED, outcome=Outcome.SUCCEEDED)


def ids(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


def test_a_session_hears_of_its_own_ends_once(store: Store) -> None:
    begin(store, "a2aaaa", "mine")
    begin(store, "b2bbbb", "theirs")
    assert ended(store, "mine") == []
    end(store, "a2aaaa")
    end(store, "b2bbbb")
    assert ids(ended(store, "mine")) == ["a2aaaa"]
    assert ended(store, "mine") == []
    assert ids(ended(store, "theirs")) == ["b2bbbb"]


def test_the_next_session_hears_of_what_was_left(store: Store) -> None:
    begin(store, "a2aaaa", "mine")
    begin(store, "b2bbbb", "mine", noted=False)  # in a terminal of the session's
    begin(store, "c2cccc", "mine")
    begin(store, "d2dddd", "theirs")
    end(store, "a2aaaa")
    assert sorted(ids(leave(store, "mine"))) == ["b2bbbb", "c2cccc"]
    assert sorted(ids(inherit(store, "next"))) == ["a2aaaa", "b2bbbb", "c2cccc"]
    assert inherit(store, "third") == []
    end(store, "c2cccc")
    assert ids(ended(store, "next")) == ["c2cccc"]
    assert store.get("d2dddd").state is State.RUNNING


def test_what_is_not_there_or_not_readable_is_forgotten(store: Store) -> None:
    store.set_setting(KEY, '{"gone77": "mine"}')
    assert ended(store, "mine") == []
    assert store.setting(KEY) == "{}"
    for broken in ("[]", "{", "null", '"x"'):
        store.set_setting(KEY, broken)
        assert ended(store, "mine") == inherit(store, "mine") == leave(store, "mine") == []
