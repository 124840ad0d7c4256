"""A job and its fence, by every way to put one up: what is granted, told and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import CannotStart
from sideshoot.fence.mechanism import Kind, Mechanism, find_mechanism, try_landlock
from sideshoot.jobs import enclosure, service
from sideshoot.jobs.record import from_record, to_record
from sideshoot.model import Driver, Isolation, Outcome, Request

if TYPE_CHECKING:
    from pathlib import Path

    from support.jobs import Jobs
    from support.repos import Repo

NOTHING = Mechanism(Kind.NONE, why="nothing works", remedy="mend it")


@pytest.fixture
def landlock(monkeypatch: pytest.MonkeyPatch) -> Mechanism:
    found = try_landlock("bubblewrap is not installed", "install it")
    if found.kind is not Kind.LANDLOCK:
        pytest.skip(found.why)
    only(monkeypatch, found)
    return found


def only(monkeypatch: pytest.MonkeyPatch, mechanism: Mechanism) -> None:
    monkeypatch.setattr(enclosure, "find_mechanism", lambda _: mechanism)


def test_landlock_holds_it_and_its_limits_are_told(
    repo: Repo, jobs: Jobs, landlock: Mechanism
) -> None:
    before = repo.fingerprint()
    job = jobs.run(
        f"echo x > made && git add made && git commit -qm made && echo x > $TMPDIR/x;"
        f" echo bad > {repo.top}/app.py; echo bad > {repo.common_dir}/config; echo end",
        sandbox="write",
    )
    assert job.outcome is Outcome.SUCCEEDED
    assert (job.request.sandbox, job.mechanism) == ("write", "landlock")
    assert len(job.warnings) == len(landlock.limits)
    assert all("landlock" in warning for warning in job.warnings)
    assert repo.text("log", "-1", "--format=%s", str(job.branch)) == "made"
    assert repo.fingerprint() == before
    assert not jobs.folder(job).temp.exists()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"sandbox": "offline"}, "close the network"),
        ({"sandbox": "write", "isolation": Isolation.IN_PLACE}, "--in-place"),
        ({"sandbox": "write", "agent": "codex", "command": ()}, "Codex has a sandbox of its own"),
    ],
)
def test_what_landlock_can_not_hold_is_refused(
    jobs: Jobs, landlock: Mechanism, facts: dict[str, Any], words: str
) -> None:
    with pytest.raises(CannotStart, match=words) as refusal:
        jobs.create(**facts)
    assert "bubblewrap is not installed" in str(refusal.value)
    assert jobs.store.list() == []


def test_where_nothing_works_a_fence_is_refused_before_anything_is_recorded(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, NOTHING)
    with pytest.raises(CannotStart, match="nothing works; mend it, or choose --sandbox off"):
        jobs.create(sandbox="write")
    assert jobs.store.list() == []
    assert not (jobs.store.state_dir / "jobs").exists()
    assert jobs.run(sandbox="off").outcome is Outcome.SUCCEEDED


def test_left_out_it_is_put_up_wherever_it_keeps_an_agent_in(jobs: Jobs) -> None:
    if (kind := find_mechanism().kind) is Kind.NONE:
        pytest.skip("no fence can be put up here")
    fences = {
        (job.request.sandbox, job.mechanism)
        for job in (
            jobs.create(sandbox=None),
            jobs.create(sandbox=None, isolation=Isolation.READ_ONLY),
            jobs.create(sandbox=None, agent="claude", command=(), prompt="weed"),
        )
    }
    assert fences == {("write", kind)}


@pytest.mark.parametrize(
    "facts", [{"isolation": Isolation.IN_PLACE}, {"agent": "codex", "command": (), "prompt": "x"}]
)
def test_left_out_there_is_none_where_it_would_be_in_the_way(
    jobs: Jobs, facts: dict[str, Any]
) -> None:
    job = jobs.create(sandbox=None, **facts)
    assert (job.request.sandbox, job.mechanism, job.warnings) == ("off", "none", ())


def test_left_out_where_nothing_works_the_job_goes_on_and_says_so(
    repo: Repo, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, NOTHING)
    job = jobs.run(f"echo out > {repo.top}/leak.txt; echo in > in.txt", sandbox=None)
    assert (job.outcome, job.request.sandbox) == (Outcome.SUCCEEDED, "off")
    nothing, leak = job.warnings
    assert "nothing kept the agent inside" in nothing
    assert "nothing works; mend it" in nothing
    assert "CHANGED" in leak
    assert "leak.txt" in leak


def test_left_out_an_agent_that_can_not_work_inside_goes_on_without_and_says_so(
    jobs: Jobs, landlock: Mechanism
) -> None:
    agent: dict[str, Any] = {
        "agent": "mine",
        "driver": Driver("acp", ("codex-acp",)),
        "command": (),
    }

    job = jobs.create(sandbox=None, prompt="weed", **agent)

    assert (job.request.sandbox, job.mechanism) == ("off", "none")
    (warning,) = job.warnings
    assert "nothing kept the agent inside of its workspace" in warning
    assert "codex" in warning
    with pytest.raises(CannotStart, match="--sandbox write is not possible"):
        jobs.create(sandbox="write", prompt="weed", **agent)


def test_landlock_tells_its_limits_only_to_who_asks_for_it(jobs: Jobs, landlock: Mechanism) -> None:
    job = jobs.create(sandbox=None)
    assert (job.request.sandbox, job.mechanism, job.warnings) == ("write", landlock.kind, ())


def test_folders_that_are_named_are_left_open(jobs: Jobs, home: Path) -> None:
    if find_mechanism().kind is Kind.NONE:
        pytest.skip("no fence can be put up here")
    (home / ".config" / "sideshoot").mkdir()
    settings = '[sandbox]\nwritable = ["~/.seeds", "~/.tools/new"]\n'
    (home / ".config" / "sideshoot" / "config.toml").write_text(settings)
    script = "echo x > ~/.seeds/x; echo x > ~/.tools/new/x; echo x > ~/.tools/x; true"
    job = jobs.run(script, sandbox=None)
    assert job.request.writable == ("~/.seeds", "~/.tools/new")
    assert (home / ".seeds" / "x").exists()
    assert (home / ".tools" / "new" / "x").exists()
    assert not (home / ".tools" / "x").exists()


def test_a_folder_that_can_not_be_made_is_told(jobs: Jobs, home: Path) -> None:
    if find_mechanism().kind is Kind.NONE:
        pytest.skip("no fence can be put up here")
    (home / "file").write_text("")
    (home / ".config" / "sideshoot").mkdir()
    settings = '[sandbox]\nwritable = ["~/file/below"]\n'
    (home / ".config" / "sideshoot" / "config.toml").write_text(settings)
    with pytest.raises(CannotStart, match="file/below, which the fence is to leave open, can't be"):
        jobs.run("true", sandbox=None)
    (job,) = jobs.store.list()
    assert job.outcome is Outcome.FAILED


def test_a_program_that_fails_by_the_fence_is_told_of_it(repo: Repo, jobs: Jobs) -> None:
    if find_mechanism().kind is Kind.NONE:
        pytest.skip("no fence can be put up here")
    script = f"echo out > {repo.common_dir}/x"
    failed = jobs.run(script, sandbox="write")
    assert failed.outcome is Outcome.FAILED
    assert "--sandbox off" in failed.warnings[-1]
    assert not any("fence may be" in it for it in jobs.run("exit 1", sandbox="write").warnings)
    ended_well = jobs.run(f"{script} || true", sandbox="write")
    assert not any("fence may be" in it for it in ended_well.warnings)


def test_a_fence_that_is_gone_when_the_job_begins_is_not_left_out(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_mechanism().kind is Kind.NONE:
        pytest.skip("no fence can be put up here")
    job = jobs.create("echo x > made", sandbox="write")
    only(monkeypatch, NOTHING)
    with pytest.raises(CannotStart, match="nothing works"):
        service.work(jobs.repository, job.id)
    assert jobs.get(job).outcome is Outcome.FAILED
    assert (jobs.get(job).result, jobs.get(job).worktree) == (None, None)


def test_a_record_of_an_earlier_version_has_no_fence(jobs: Jobs) -> None:
    record = json.loads(json.dumps(to_record(jobs.run())))
    del record["request"]["sandbox"], record["mechanism"]
    job = from_record(record)
    assert (job.request.sandbox, job.mechanism) == (Request("command").sandbox, "none") == (
        "off", "none",
    )  # fmt: skip
