"""`review` and `adversarial-review`: what they take, and what they refuse with one clear line."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.cli.review import adversarial
from support.codex import set_up_codex
from support.command import environment
from support.models import ModelServer, say
from support.reviewing import answer, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["review", "look", "here"], "review takes no words: 'look'", 2),
        (["review", "--commit", "HEAD", "--base", "main"], "--base and --commit name different", 2),
        (["review", "--pr", "1", "--job", "x"], "--pr and --job name different", 2),
        (["review", "--scope", "branch", "--commit", "x"], "--commit and --scope name", 2),
        (["review", "--scope", "auto", "--base", "main"], "--base and --scope name", 2),
        (["review", "--pr", "0"], "0 is not in the range", 2),
        (["review", "--job", "zzzzz9"], "no job 'zzzzz9'", 2),
        (["review", "--agent", "codex", "--base", "nowhere"], "'nowhere' names no commit", 2),
        (
            ["review", "--agent", "codex", "--commit", "--output=x"],
            "'--output=x' names no commit",
            2,
        ),
        (["review", "--path", "../elsewhere"], "lies outside the working tree", 2),
        (["review", "--agent", "command"], "command can't review", 2),
        (["review", "--agent", "nobody"], "no agent 'nobody'", 3),
        (["review", "--agent", "codex"], "there is nothing to review: nothing is uncommitted", 3),
        (["review", "--fail-on", "silly"], "'silly' is not one of", 2),
        (["adversarial-review", "--prompt-file", "x", "y"], "the prompt file", 2),
        (["run", "--finding", "1", "x"], "--from-review names it", 2),
        (["run", "--from-review", "--", "ls"], "a task for an agent, not for a command", 2),
        (["run", "--from-review"], "there is no review with findings", 2),
        (["run"], "there is no task", 2),
        (["result", "--format", "sarif"], "there is no finished job", 2),
    ],
)
def test_what_does_not_fit_is_one_line(
    repo: Repo, sideshoot: Command, words: list[str], said: str, status: int
) -> None:
    done = sideshoot(*words).refused(said, status=status)
    assert done.err.count("\n") == 1
    assert repo.our_refs() == {}


def test_forms_are_for_findings(sideshoot: Command) -> None:
    both = sideshoot("review", "--json", "--format", "sarif")
    both.refused("--json and --format sarif can't both", status=2)
    sideshoot.run("true")
    sideshoot("result", "--format", "json").refused("is no review", status=2)
    early = sideshoot("review", "-b", "--format", "json")
    early.refused("--format is for findings, and --background does not wait", status=2)
    early = sideshoot("review", "-b", "--fail-on", "low")
    early.refused("--fail-on is for findings", status=2)


def test_branch_scope_goes_with_a_base(repo: Repo, sideshoot: Command) -> None:
    done = sideshoot("review", "--agent", "codex", "--scope", "branch", "--base", "main")
    done.refused("HEAD has nothing that main has not", status=3)


def focus_of(words: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What `adversarial-review WORDS` is asked to look at above all."""
    seen: list[str] = []

    def review(call: Any, kind: str, asked: str, options: Any) -> int:
        seen.append(asked)
        return 0

    monkeypatch.setattr("sideshoot.cli.review.review", review)
    assert adversarial.main(words, standalone_mode=False) == 0
    (focus,) = seen
    return focus


@pytest.mark.parametrize(
    ("words", "focus"),
    [
        (["what", "--base", "if"], "what --base if"),
        (["--base", "main", "--", "--force", "loses"], "--force loses"),
        (['say "it\'s" $HOME\n\\n'], 'say "it\'s" $HOME\n\\n'),
        ([], ""),
    ],
)
def test_a_focus_arrives_as_it_was_typed(
    words: list[str], focus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert focus_of(words, monkeypatch) == focus


def test_a_focus_from_a_file(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "--a\n\n'b'\n" + "x" * 200_000
    (tmp_path / "focus.md").write_text(text)
    words = ["--prompt-file", str(tmp_path / "focus.md")]
    assert focus_of(words, monkeypatch) == text


# -- the last review, and what comes of it


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def codex(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    set_up_codex(monkeypatch, tmp_path / "codex", models)
    return models


def reviewed(repo: Repo, sideshoot: Command, models: ModelServer, *findings: Any) -> str:
    """The id of a review with these findings."""
    repo.write("app.py", "edited = 1\n")
    models.unasked = [say(answer(*findings))]
    job = sideshoot("adversarial-review", "--agent", "codex", "--json").ok().json
    return str(job["job_id"])


@pytest.mark.agent("codex")
def test_the_result_that_is_meant_is_that_of_the_last_review(
    repo: Repo, sideshoot: Command, codex: ModelServer
) -> None:
    reviewed(repo, sideshoot, codex, finding("one"))
    job_id = reviewed(repo, sideshoot, codex, finding("two"))
    assert sideshoot.json("result")["job_id"] == job_id
    made = sideshoot.run("echo x > made")
    assert sideshoot.json("result")["job_id"] == made["job_id"]
    assert sideshoot.json("diff")["job_id"] == made["job_id"]
    reviewed(repo, sideshoot, codex)
    sideshoot("result").refused("several jobs can be meant", status=2)
    assert sideshoot.json("diff")["job_id"] == made["job_id"]


@pytest.mark.agent("codex")
def test_a_review_is_no_conversation_to_go_on_with_unasked(
    repo: Repo, sideshoot: Command, codex: ModelServer
) -> None:
    job_id = reviewed(repo, sideshoot, codex)
    sideshoot("run", "--resume-last", "x").refused("there is no earlier thread", status=2)
    assert sideshoot.json("task-resume-candidate")["available"] is False
    codex.unasked = [say("Because.")]
    assert "Because." in sideshoot("run", "--resume", job_id, "why?").ok().out


@pytest.mark.agent("codex")
def test_the_findings_go_to_a_file(
    repo: Repo, sideshoot: Command, codex: ModelServer, tmp_path: Path
) -> None:
    job_id = reviewed(repo, sideshoot, codex, finding())
    place = tmp_path / "findings.json"
    done = sideshoot("result", job_id, "--format", "json", "--output", str(place)).ok()
    assert done.out == ""
    assert json.loads(place.read_text())["findings"][0]["title"] == "it breaks"
    done = sideshoot("result", job_id, "--output", str(tmp_path / "no" / "such"))
    done.refused("can't write", status=1)


def type_in(repo: Repo, answer_: str, *words: str) -> tuple[int, str]:
    """Run a command on a terminal, answer its question, and return its status and all it showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(repo.top)
        os.execve(sys.executable, [sys.executable, "-m", "sideshoot", *words], environment({}))
    shown = b""
    answered = False
    while select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        shown += piece
        if not piece:
            break
        if b"[y/N]" in shown and not answered:
            os.write(terminal, f"{answer_}\n".encode())
            answered = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


@pytest.mark.agent("codex")
def test_run_without_a_task_offers_the_last_review(
    repo: Repo, sideshoot: Command, codex: ModelServer
) -> None:
    job_id = reviewed(repo, sideshoot, codex, finding())
    codex.unasked = [say("Mended.")]
    status, shown = type_in(repo, "", "run", "--agent", "codex")
    assert status == 2
    assert f"mend what review {job_id} found (1 finding, " in shown
    assert "there is no task" in shown
    status, shown = type_in(repo, "y", "run", "--agent", "codex")
    assert status == 0
    assert "Mended." in shown
    assert sideshoot.json("result")["from_review"] == job_id
