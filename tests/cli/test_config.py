"""`sideshoot config`, and what settings do to the other commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.terminal import on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

SETUP = '[workspace]\nsetup = ["echo deps"]\n'


def say(repo: Repo, text: str) -> None:
    repo.write("sideshoot.toml", text)


def test_it_says_what_is_in_force_and_where_from(
    repo: Repo, sideshoot: Command, home: Path
) -> None:
    own = home / ".config" / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text("[run]\nmodel = 'small'\n")
    say(repo, "[run]\n\neffort = 'high'\nagent = 'claude'\n[agents.claude]\nmodel = 'opus'\n")
    sideshoot("config", "run.timeout", "2h").ok()

    lines = {line.split("  ")[0]: line for line in sideshoot("config").ok().out.splitlines()}

    assert "small" in lines["run.model"]
    assert "your own file, line 2" in lines["run.model"]
    assert "sideshoot.toml, line 3" in lines["run.effort"]
    assert "this repository" in lines["run.timeout"]
    assert "default (not trusted yet)" in lines["run.agent"]
    assert "sideshoot.toml, line 6" in lines["agents.claude.model"]
    assert sideshoot("config").out.endswith("  run.agent (line 4)\n    claude\n")


def test_one_object_has_all_of_it(repo: Repo, sideshoot: Command) -> None:
    say(repo, f"run.model = 'm'\nrun.colour = 1\n{SETUP}")

    shown = sideshoot.json("config")

    by_key = {one["key"]: one for one in shown["settings"]}
    assert by_key["run.model"] == {
        "key": "run.model",
        "value": "m",
        "from": "sideshoot.toml",
        "file": str(repo.top / "sideshoot.toml"),
        "line": 1,
    }
    assert by_key["workspace.setup"]["value"] == "[]"
    assert shown["not_trusted"] == [{"key": "workspace.setup", "value": '["echo deps"]', "line": 4}]
    assert len(shown["warnings"]) == 1
    assert "line 2: there is no setting 'run.colour'" in shown["warnings"][0]


def test_one_value_is_printed_alone(repo: Repo, sideshoot: Command) -> None:
    say(repo, "[agents.mine]\nmodel = 'm'\n")

    assert sideshoot("config", "agents.mine.model").ok().out == "m\n"
    sideshoot("config", "agents.mine.modle").refused("did you mean agents.mine.model", status=2)
    sideshoot("config", "workspace.setup", "make").refused("is set in files alone", status=2)


# -- consent


def test_what_would_be_run_is_refused_until_it_is_trusted(repo: Repo, sideshoot: Command) -> None:
    say(repo, SETUP)

    refused = sideshoot("run", "--", "true").refused(
        'workspace.setup = ["echo deps"] (line 2)', "`sideshoot config --trust`", status=3
    )
    assert len(refused.err.splitlines()) == 1
    assert (
        not (repo.common_dir / "sideshoot" / "jobs").exists()
        or not sideshoot.json("status")["jobs"]
    )

    shown = sideshoot("config", "--trust").ok().out
    assert shown.startswith("  workspace.setup (line 2)\n    echo deps\n")
    sideshoot("run", "--", "true").ok()
    assert sideshoot.json("config")["not_trusted"] == []

    sideshoot("config", "--untrust").ok()
    sideshoot("run", "--", "true").refused("needs your consent", status=3)
    assert sideshoot.json("config", "--untrust") == {"withdrawn": 0}
    assert sideshoot.json("config", "--trust")["trusted"][0]["key"] == "workspace.setup"


def test_consent_counts_in_every_working_tree_of_the_repository(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    say(repo, SETUP)
    repo.git("add", "sideshoot.toml")
    repo.commit()
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    repo.git("clone", "-q", str(repo.top), str(tmp_path / "clone"))
    sideshoot("config", "--trust").ok()

    sideshoot("run", "--", "true", cwd=tmp_path / "linked").ok()
    sideshoot("run", "--", "true", cwd=tmp_path / "clone").refused("consent", status=3)


def test_a_command_to_notify_with_is_not_run_unasked(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    say(repo, f"notify.command = 'touch {tmp_path}/told'\n")

    sideshoot("run", "--", "true").ok()
    sideshoot("run", "-b", "--", "true").refused("notify.command", status=3)
    sideshoot("config", "notify.command", "off").ok()
    job = sideshoot("run", "-b", "--", "true").ok().out.strip()
    sideshoot("wait", job).ok()

    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"\n", 3), (b"n\n", 3)])
def test_on_a_terminal_it_is_asked_for(
    repo: Repo, sideshoot: Command, answer: bytes, status: int
) -> None:
    say(repo, SETUP)

    shown, ended = on_terminal(sideshoot, answer, "run", "--", "touch", "made")

    assert "  workspace.setup (line 2)\n    echo deps\n" in shown
    assert "[y/N]" in shown
    assert ended == status
    assert sideshoot("run", "--", "true").status == status


# -- broken files


def test_a_broken_file_stops_what_begins_work_and_nothing_else(
    repo: Repo, sideshoot: Command
) -> None:
    sideshoot.run("echo more >> README.md")
    say(repo, "[run\n")

    refused = sideshoot("run", "--", "true").refused("sideshoot.toml: ", "line 1", status=3)
    assert len(refused.err.splitlines()) == 1
    for words in (["status"], ["diff"], ["result"], ["gc", "--dry-run"], ["keep"], ["undo"]):
        done = sideshoot(*words).ok()
        assert done.err.count("sideshoot.toml") <= 1
    # How long jobs are to be held can't be known: none is removed.
    sideshoot("gc").refused("sideshoot.toml", status=3)
    sideshoot("discard").ok()
    sideshoot("config", "run.timeout", "1h").ok()
    assert "Expected" in sideshoot("config").ok().err


def test_a_job_ends_well_though_the_file_breaks_meanwhile(repo: Repo, sideshoot: Command) -> None:
    say(repo, "notify.command = 'off'\n")
    job = sideshoot(
        "run",
        "-b",
        "--sandbox",
        "off",
        "--",
        "sh",
        "-c",
        f"echo '[run' > {repo.top}/sideshoot.toml",
    ).ok()

    sideshoot("wait", job.out.strip()).ok()

    assert sideshoot.json("status", job.out.strip())["outcome"] == "succeeded"


# -- what they do


def test_copies_lie_where_the_user_wants_them(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    sideshoot("config", "worktree.dir", str(tmp_path / "copies")).ok()

    job = sideshoot.run("echo more >> README.md")

    assert job["worktree"] == str(tmp_path / "copies" / job["job_id"])
    assert not (repo.top / ".worktrees").exists()
    sideshoot("config", "worktree.dir", "default").ok()
    sideshoot("keep").ok()
    assert repo.read("README.md").endswith(b"more\n")
    sideshoot("undo").ok()
    sideshoot("discard").ok()
    assert not (tmp_path / "copies" / job["job_id"]).exists()


def test_a_folder_that_can_not_hold_copies_is_refused_before_a_job_is_recorded(
    repo: Repo, sideshoot: Command
) -> None:
    sideshoot("config", "worktree.dir", "src").ok()

    sideshoot("run", "--", "true").refused("choose a folder of its own", status=3)

    assert sideshoot.json("status")["jobs"] == []


def test_what_is_set_for_run_counts(repo: Repo, sideshoot: Command) -> None:
    say(repo, "[run]\ncarry = 'none'\ntimeout = '1s'\n")
    repo.write("README.md", "mine\n")

    seen = sideshoot.run("cat README.md")
    assert seen["message"] != "mine"
    assert sideshoot.run("cat README.md", "--carry", "all")["message"].strip() == "mine"
    assert sideshoot("run", "--", "sleep", "30").status == 124


def test_an_agent_that_nobody_knows_is_told_with_who_named_it(
    repo: Repo, sideshoot: Command, home: Path
) -> None:
    own = home / ".config" / "sideshoot" / "config.toml"
    own.parent.mkdir()
    own.write_text("# mine\nrun.agent = 'nobody'\n")

    sideshoot("run", "weed").refused(
        "no agent 'nobody', which run.agent names (your own file, line 2)", status=3
    )


def test_an_error_that_asks_for_consent_names_the_keys(repo: Repo, sideshoot: Command) -> None:
    say(repo, SETUP)

    error = sideshoot("run", "--json", "--", "true").refused(status=3).json["error"]

    assert (error["type"], error["keys"]) == ("ConsentNeeded", ["workspace.setup"])


def test_a_shell_completes_the_keys(sideshoot: Command) -> None:
    asked = {
        "_SIDESHOOT_COMPLETE": "bash_complete",
        "COMP_WORDS": "sideshoot config run.ti",
        "COMP_CWORD": "2",
    }

    assert sideshoot(env=asked).out.splitlines() == ["plain,run.timeout"]
