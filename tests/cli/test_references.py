"""Which job is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.cli.command import Call
from sideshoot.cli.place import Place
from sideshoot.cli.references import (
    is_active,
    is_finished,
    is_kept,
    is_open,
    is_undecided,
    job_and_paths,
    last_thread,
    meant_job,
    meant_jobs,
)
from sideshoot.errors import AmbiguousJob, JobNotFound, UsageError, WrongState
from sideshoot.git import discover
from sideshoot.jobs.folder import JobFolder
from sideshoot.model import Decision, Isolation, Job, JobId, Outcome, Request, State

if TYPE_CHECKING:
    from typing import Any

    from support.repos import Repo


@pytest.fixture
def place(repo: Repo) -> Place:
    call = Call(folder=repo.top, json=False, named=False, dashed=None)
    return Place(call, discover(repo.top))


def add(place: Place, job_id: str, **facts: Any) -> Job:
    """Record a job that has finished and is undecided, unless `facts` say otherwise."""
    known = {
        "request": Request("codex", prompt="fix it"),
        "state": State.FINISHED,
        "outcome": Outcome.SUCCEEDED,
        "created_at": float(len(place.jobs())),
    }
    job = Job(JobId(job_id), **{**known, **facts})
    JobFolder(place.repository.state_dir, job_id).make()
    place.store.add(job)
    return job


def test_looking_makes_nothing(place: Place) -> None:
    assert place.jobs() == []
    with pytest.raises(JobNotFound):
        place.find("k3f9ab")
    with pytest.raises(UsageError, match="there is no job to keep"):
        meant_job(place, None, is_undecided, what="job to keep")
    assert not place.repository.state_dir.exists()


def test_a_long_list_of_candidates_is_cut_for_people_only(place: Place) -> None:
    ids = {add(place, f"k{n}aaaa").id for n in range(2, 10)}
    with pytest.raises(AmbiguousJob, match=r", 2 more; name one$") as caught:
        meant_job(place, None, is_finished, what="")
    assert set(caught.value.candidates) == ids


def test_an_id_or_its_beginning(place: Place) -> None:
    add(place, "k3f9ab")
    add(place, "k3zzz2")
    assert meant_job(place, "k3f9ab", what="").id == "k3f9ab"
    assert meant_job(place, "k3z", what="").id == "k3zzz2"
    with pytest.raises(AmbiguousJob) as caught:
        meant_job(place, "k3", what="")
    assert caught.value.candidates == ("k3f9ab", "k3zzz2")


def test_the_one_that_can_be_meant(place: Place) -> None:
    add(place, "a2aaaa", decision=Decision.KEPT)
    add(place, "b2bbbb", state=State.RUNNING, outcome=None)
    add(place, "c2cccc", decision=Decision.PARTLY_KEPT)
    add(place, "d2dddd", decision=Decision.DISCARDED)
    assert meant_job(place, None, is_undecided, what="").id == "c2cccc"
    assert meant_job(place, None, is_active, is_undecided, what="").id == "b2bbbb"
    with pytest.raises(AmbiguousJob, match="a2aaaa") as caught:
        meant_job(place, None, is_kept, what="")
    assert caught.value.candidates == ("c2cccc", "a2aaaa")
    assert "fix it" in str(caught.value)


def test_a_job_that_another_went_on_with_is_decided_together_with_that(place: Place) -> None:
    add(place, "a2aaaa", decision=Decision.KEPT, continued_by="b2bbbb")
    add(place, "b2bbbb", decision=Decision.KEPT)
    assert meant_job(place, None, is_kept, what="").id == "b2bbbb"
    add(place, "c2cccc", continued_by="d2dddd")
    add(place, "d2dddd")
    assert meant_job(place, None, is_undecided, what="").id == "d2dddd"


def test_without_a_workspace_there_is_nothing_to_decide(place: Place) -> None:
    add(place, "a2aaaa", request=Request("codex", isolation=Isolation.READ_ONLY))
    assert meant_job(place, None, is_undecided, is_open, what="").id == "a2aaaa"
    add(place, "b2bbbb")
    assert meant_job(place, None, is_undecided, is_open, what="").id == "b2bbbb"


def test_several_jobs_count_once_each(place: Place) -> None:
    add(place, "a2aaaa")
    add(place, "b2bbbb")
    found = meant_jobs(place, ["a2", "b2bbbb", "a2aaaa"], what="")
    assert [job.id for job in found] == ["a2aaaa", "b2bbbb"]


@pytest.mark.parametrize(
    ("words", "dashed", "paths"),
    [
        ([], None, ()),
        (["k3f9ab"], None, ()),
        (["k3f", "src", "app.py"], None, ("src", "app.py")),
        (["app.py"], None, ("app.py",)),
        (["made/by/the.agent"], None, ("made/by/the.agent",)),
        (["k3f9ab", "k3f9ab"], None, ("k3f9ab",)),
        (["k3f9ab"], 0, ("k3f9ab",)),
        (["k3f", "made"], 1, ("made",)),
    ],
)
def test_a_job_and_paths(
    place: Place, words: list[str], dashed: int | None, paths: tuple[str, ...]
) -> None:
    add(place, "k3f9ab")
    job, found = job_and_paths(place, words, dashed, is_undecided, what="")
    assert (job.id, found) == ("k3f9ab", paths)


def test_a_word_that_can_be_both_or_is_neither(place: Place, repo: Repo) -> None:
    add(place, "k3f9ab")
    repo.write("k3", "a file\n")
    repo.write("k3f9ab", "another\n")
    with pytest.raises(UsageError, match="can be a job and a path"):
        job_and_paths(place, ["k3"], None, is_undecided, what="")
    assert job_and_paths(place, ["k3f9ab"], None, is_undecided, what="")[1] == ()
    with pytest.raises(JobNotFound):
        job_and_paths(place, ["zzz"], None, is_undecided, what="")
    with pytest.raises(JobNotFound):
        job_and_paths(place, ["app.py", "src"], 1, is_undecided, what="")


def test_a_path_that_only_the_job_has_made(place: Place, repo: Repo) -> None:
    base = repo.head()
    repo.write("made", "by the agent\n")
    add(place, "k3f9ab", base=base, result=repo.commit())
    (repo.top / "made").unlink()
    assert job_and_paths(place, ["made"], None, is_undecided, what="")[1] == ("made",)
    with pytest.raises(JobNotFound):
        job_and_paths(place, ["mad"], None, is_undecided, what="")


def test_the_last_thread_of_a_session(place: Place) -> None:
    add(place, "a2aaaa", thread_id="t1", session="mine")
    add(place, "b2bbbb", thread_id="t2", session="other")
    add(place, "c2cccc", session="mine")
    assert last_thread(place, "mine").id == "a2aaaa"
    assert last_thread(place, None).id == "b2bbbb"
    with pytest.raises(UsageError, match="no earlier thread"):
        last_thread(place, "a third")
    add(place, "d2dddd", session="mine", state=State.RUNNING, outcome=None)
    with pytest.raises(WrongState, match="d2dddd is still running"):
        last_thread(place, "mine")


def test_paths_count_from_the_callers_folder(repo: Repo) -> None:
    call = Call(folder=repo.top / "src", json=False, named=False, dashed=None)
    place = Place(call, discover(repo.top / "src"))
    assert place.subfolder == "src"
    assert place.tree_paths(["beds.py", "../app.py", "./tools/"]) == (
        b"src/beds.py",
        b"app.py",
        b"src/tools",
    )
    assert place.tree_paths(["caf\udce9", str(repo.top / "x")]) == (b"src/caf\xe9", b"x")
    assert place.tree_paths([".."]) == ()
    with pytest.raises(UsageError, match="outside the working tree"):
        place.tree_paths(["../../etc"])


def test_finished_is_what_is_not_active(place: Place) -> None:
    job = add(place, "a2aaaa", state=State.QUEUED, outcome=None)
    assert is_active(job)
    assert not is_finished(job)
    assert not is_undecided(job)
