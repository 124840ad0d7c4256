"""What a request is like where the caller says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import AgentUnavailable, BadConfiguration, ConsentNeeded
from sideshoot.jobs import service
from sideshoot.jobs.checkup import check_up
from sideshoot.jobs.defaults import filled
from sideshoot.jobs.settings import load_config
from sideshoot.model import Carry, Driver, Isolation, Job, JobId, Request

if TYPE_CHECKING:
    from pathlib import Path

    from support.jobs import Gardener, Jobs


@pytest.fixture(autouse=True)
def codex_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The only agent that is installed is Codex."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "codex").write_text("#!/bin/sh\n")
    (folder / "codex").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def filled_from(jobs: Jobs, text: str = "", resumed: Job | None = None, **given: Any) -> Request:
    jobs.repo.write("sideshoot.toml", text)
    config = load_config(jobs.repository, jobs.store)
    return Request(**filled(config, given, resumed=resumed))


def test_a_request_is_by_default_as_its_fields_say(jobs: Jobs) -> None:
    assert filled_from(jobs) == Request("codex", sandbox=None)
    command = Request("command", command=("true",), sandbox=None)
    assert filled_from(jobs, command=("true",)) == command


def test_what_is_set_counts_where_nothing_is_given(jobs: Jobs) -> None:
    text = """
        [run]
        model = "small"
        effort = "high"
        sandbox = "offline"
        timeout = "1h"
        idle_timeout = "5m"
        output_limit = "1M"
        """

    request = filled_from(jobs, text)

    assert (request.agent, request.model, request.effort) == ("codex", "small", "high")
    assert (request.timeout_s, request.idle_timeout_s, request.output_limit) == (3600, 300, 1 << 20)
    assert request.sandbox == "offline"


def test_what_is_given_counts(jobs: Jobs) -> None:
    text = "[run]\nmodel = 'small'\ncarry = 'none'\ntimeout = '1h'\nsandbox = 'offline'\n"

    request = filled_from(
        jobs, text, agent="codex", model="large", carry="tracked", timeout_s=None, sandbox="off"
    )

    assert (request.model, request.carry, request.timeout_s) == ("large", Carry.TRACKED, None)
    assert request.sandbox == "off"


def test_a_model_is_that_of_one_agent(jobs: Jobs) -> None:
    text = "[run]\nmodel = 'small'\n[agents.claude]\nmodel = 'opus'\neffort = 'low'\n"

    assert filled_from(jobs, text).model == "small"
    assert filled_from(jobs, text, agent="codex").model == "small"
    claude = filled_from(jobs, text, agent="claude")
    assert (claude.model, claude.effort) == ("opus", "low")
    assert filled_from(jobs, text, agent="gemini").model is None
    assert filled_from(jobs, text, command=("true",)).model is None


def test_a_model_of_an_agent_that_is_not_trusted_is_no_other_agents(jobs: Jobs) -> None:
    text = "[run]\nagent = 'claude'\nmodel = 'opus'\n"

    with pytest.raises(ConsentNeeded, match=r"run\.agent = claude \(line 2\)"):
        filled_from(jobs, text)
    assert filled_from(jobs, text, agent="codex").model is None
    assert filled_from(jobs, text, agent="claude").model == "opus"


def test_a_thread_is_gone_on_with_by_whom_it_was_begun(jobs: Jobs) -> None:
    jobs.store.set_setting("run.agent", "claude")
    jobs.store.set_setting("run.model", "opus")
    earlier = Job(JobId("k3f9aa"), Request("codex", model="small"))

    request = filled_from(jobs, resumed=earlier)

    assert (request.agent, request.model, request.effort) == ("codex", "small", None)
    assert filled_from(jobs, resumed=earlier, model="large").model == "large"


def test_where_no_agent_is_installed_one_has_to_be_named(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    with pytest.raises(AgentUnavailable, match="no agent is installed"):
        filled_from(jobs)
    assert filled_from(jobs, agent="claude").agent == "claude"


def test_where_none_of_ours_is_installed_it_is_one_of_the_users_own(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    own_file(
        jobs,
        """
        [agents.idle]
        model = "m"
        [agents.missing]
        acp = "nowhere-to-be-found acp"
        [agents.mine]
        command = ["sh", "-c", "true {prompt}"]
        model = "n"
        """,
    )
    assert filled_from(jobs).agent == "codex"

    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    assert (filled_from(jobs).agent, filled_from(jobs).model) == ("mine", "n")
    assert check_up(load_config(jobs.repository, jobs.store), folder=tmp_path).default == "mine"


def test_one_that_is_not_trusted_is_not_taken_by_default(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    with pytest.raises(AgentUnavailable, match="no agent is installed"):
        filled_from(jobs, "agents.mine.command = ['true', '{prompt}']")


# -- before a job is recorded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workspace.setup = ['make']", "workspace.setup"),
        ("worktree.dir = '/somewhere'", "worktree.dir"),
        ("agents.another.acp = 'x'", None),
    ],
)
def test_no_job_is_recorded_that_would_need_consent(
    jobs: Jobs, text: str, words: str | None
) -> None:
    jobs.repo.write("sideshoot.toml", text)

    if words is None:
        jobs.create()
    else:
        with pytest.raises(ConsentNeeded, match=words):
            jobs.create()
        assert jobs.store.list() == []
        assert jobs.create(isolation=Isolation.IN_PLACE)


def own_file(jobs: Jobs, text: str) -> None:
    file = jobs.repo.top.parent / "own" / "sideshoot" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_another_agent_has_nothing_of_the_earlier_ones_choices(jobs: Jobs) -> None:
    earlier = Job(JobId("k3f9aa"), Request("opencode", model="small", agent_mode="plan"))
    assert filled_from(jobs, resumed=earlier).agent_mode == "plan"
    other = filled_from(jobs, resumed=earlier, agent="codex")
    assert (other.model, other.agent_mode) == (None, None)


def test_a_job_knows_how_its_agent_is_started(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    own_file(
        jobs,
        """
        [agents.mine]
        acp = "goose acp"
        environment = { BED = "north" }
        writable = ["~/.goose"]
        [agents.once]
        command = ["sh", "-c", "echo $BED {prompt}"]
        environment = { BED = "south" }
        [agents.codex]
        environment = { BED = "west" }
        writable = ["~/.west"]
        [agents.idle]
        model = "m"
        [sandbox]
        writable = ["~/.seeds"]
        """,
    )

    mine = service.create(jobs.repository, Request("mine", prompt="weed")).request
    once = service.create(jobs.repository, Request("once", prompt="weed", sandbox="off"))
    codex = service.create(jobs.repository, Request("codex", prompt="weed")).request

    assert mine.driver == Driver("acp", ("goose", "acp"), {"BED": "north"}, ("~/.goose",))
    assert mine.writable == ("~/.seeds",)
    assert (codex.driver, codex.environment) == (None, {"BED": "west"})
    assert codex.writable == ("~/.seeds", "~/.west")
    done = service.work(jobs.repository, once.id)
    assert done.message == "south weed\n"
    with pytest.raises(AgentUnavailable, match=r"no agent 'nobody'; there are: .*, mine, once"):
        service.create(jobs.repository, Request("nobody", prompt="weed"))
    with pytest.raises(AgentUnavailable, match=r"\[agents.idle\] says neither `acp` nor"):
        service.create(jobs.repository, Request("idle", prompt="weed"))


def test_one_of_ours_has_its_variables(jobs: Jobs, gardener: Gardener) -> None:
    gardener.job(jobs, environment={"BED": "west"})
    (job,) = jobs.store.list()

    service.work(jobs.repository, job.id)

    assert gardener.tasks[0].environment["BED"] == "west"
    assert gardener.tasks[0].environment["SIDESHOOT_JOB"] == job.id


def test_no_job_is_recorded_where_the_file_is_broken(jobs: Jobs) -> None:
    jobs.repo.write("sideshoot.toml", "[run\n")

    with pytest.raises(BadConfiguration, match=r"sideshoot\.toml: .*line 1"):
        jobs.create()

    assert jobs.store.list() == []


def test_a_job_that_is_recorded_does_not_care_for_the_file_any_more(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own" / "sideshoot").mkdir(parents=True)
    own = tmp_path / "own" / "sideshoot" / "config.toml"
    own.write_text("workspace.setup = ['echo deps > deps']\nworktree.dir = 'copies'\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    job = jobs.create("cat deps")
    own.write_text("[broken\n")
    jobs.repo.write("sideshoot.toml", "[broken\n")

    done = service.work(jobs.repository, job.id)

    assert done.worktree == str(jobs.repo.top / "copies" / job.id)
    assert done.message == "deps\n"
