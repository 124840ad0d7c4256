"""What is asked for: options first, and nothing of a task is ever parsed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from sideshoot.cli.command import Words, options_of
from sideshoot.cli.prompt import Asked, asked_for
from sideshoot.cli.run import command
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def parsed(*words: str) -> tuple[dict[str, Any], int | None]:
    """The parameters of `run WORDS`, and how many words stood before `--`."""
    context = click.Context(command, info_name="run")
    command.parse_args(context, list(words))
    return context.params, context.meta["sideshoot.dashed"]


def task(*words: str) -> Asked:
    options, dashed = parsed(*words)
    return asked_for(
        options["words"],
        dashed=dashed == 0,
        agent=options["agent"],
        prompt_file=options["prompt_file"],
        folder=Path(),
    )


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        (["fix", "the", "test"], "fix the test"),
        (["fix --write and --model foo bar"], "fix --write and --model foo bar"),
        (["fix", "--write", "and", "--model", "foo"], "fix --write and --model foo"),
        (["fix", "--", "this", "--"], "fix -- this --"),
        (["fix this:\n  if x:\n    y = \"a\\b'"], "fix this:\n  if x:\n    y = \"a\\b'"),
        (["-b", "--model", "m", "fix", "-b"], "fix -b"),
        (["--agent", "codex", "--", "--help", "lies"], "--help lies"),
        (["--resume", "go", "on"], "go on"),
        (["--resume", "--", "k3f9ab", "is", "a", "word"], "k3f9ab is a word"),
        (["--name", "--", "fix"], "fix"),
    ],
)
def test_a_task_arrives_as_it_was_typed(words: Sequence[str], prompt: str) -> None:
    agent = ["--agent", "codex"] if "--" in words and "--agent" not in words else []
    assert task(*agent, *words) == Asked(prompt)


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["--", "ruff", "check", "--fix", "."], ("ruff", "check", "--fix", ".")),
        (["-b", "--", "sh", "-c", "echo -- $1", "--"], ("sh", "-c", "echo -- $1", "--")),
        (["--", "--"], ("--",)),
        (["--agent", "command", "--", "make"], ("make",)),
    ],
)
def test_words_after_dashes_are_a_command(words: Sequence[str], arguments: tuple[str, ...]) -> None:
    assert task(*words) == Asked("", arguments)


@pytest.mark.parametrize(
    ("words", "options", "prompt"),
    [
        (["--from-review"], {"from_review": True, "from_review_job": None}, ""),
        (["--from-review", "be", "quick"], {"from_review": True}, "be quick"),
        (["--from-review", "k3f9ab"], {"from_review": False, "from_review_job": "k3f9ab"}, ""),
        (["--from-review=k3", "x"], {"from_review_job": "k3"}, "x"),
        (
            ["--from-review", "k3f9ab", "--finding", "2", "--finding=1", "x", "--finding", "3"],
            {"from_review_job": "k3f9ab", "findings": (2, 1)},
            "x --finding 3",
        ),
        (
            ["--resume", "m2x7cd", "--from-review", "k3f9ab", "-b", "x"],
            {"resume_job": "m2x7cd", "from_review_job": "k3f9ab", "background": True},
            "x",
        ),
    ],
)
def test_a_review_may_be_named(words: Sequence[str], options: Any, prompt: str) -> None:
    found, _ = parsed(*words)
    assert options.items() <= found.items()
    assert " ".join(found["words"]) == prompt


def test_a_prompt_file_is_taken_whole(tmp_path: Path) -> None:
    text = "\n  --help 'quotes\" \\ and\tmore\n\n"
    (tmp_path / "task.md").write_text(text)
    asked = asked_for([], dashed=False, agent=None, prompt_file="task.md", folder=tmp_path)
    assert asked == Asked(text)


def test_a_command_reads_the_prompt_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("input\n")
    asked = asked_for(["cat"], dashed=True, agent=None, prompt_file="in", folder=tmp_path)
    assert asked == Asked("input\n", ("cat",))


@pytest.mark.parametrize(
    ("words", "dashed", "prompt_file", "complaint"),
    [
        ([], True, None, "no command"),
        (["fix"], False, "task.md", "give one of them"),
        ([], False, "missing.md", "can't read the prompt file missing.md: No such file"),
        ([], False, "latin1.md", "not UTF-8"),
        (["caf\udce9"], False, None, "not UTF-8"),
    ],
)
def test_a_task_that_can_not_be_meant_is_refused(
    tmp_path: Path,
    words: list[str],
    dashed: bool,
    prompt_file: str | None,
    complaint: str,
) -> None:
    (tmp_path / "task.md").write_text("fix")
    (tmp_path / "latin1.md").write_bytes(b"caf\xe9")
    with pytest.raises(UsageError, match=complaint):
        asked_for(words, dashed=dashed, agent=None, prompt_file=prompt_file, folder=tmp_path)


@pytest.mark.parametrize(
    "words", [["--fresh", "--wirte", "fix"], ["--await", "fix"], ["-x", "fix"]]
)
def test_unknown_options_are_errors(words: Sequence[str]) -> None:
    with pytest.raises(click.NoSuchOption):
        parsed(*words)


@pytest.mark.parametrize(
    ("words", "job", "left"),
    [
        (["--resume", "k3f9ab", "go", "on"], "k3f9ab", ("go", "on")),
        (["--resume=k3f", "go", "on"], "k3f", ("go", "on")),
        (["--resume", "k3f9ab", "--model", "m", "go"], "k3f9ab", ("go",)),
        (["--resume", "repair", "it"], None, ("repair", "it")),
        (["--resume"], None, ()),
    ],
)
def test_resume_takes_a_word_only_if_it_is_an_id(
    words: Sequence[str], job: str | None, left: tuple[str, ...]
) -> None:
    options, _ = parsed(*words)
    assert (options["resume_job"], options["words"]) == (job, left)
    assert options["resume"] is (job is None)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--json", "fix", "--all"], ["--json"]),
        (["--name", "--json", "fix"], ["--name"]),
        (["-bm", "--json", "fix"], ["-bm"]),
        (["-mb", "--json", "fix"], ["-mb", "--json"]),
        (["--model=x", "--json", "--", "--all"], ["--model=x", "--json"]),
        (["--resume", "k3f9ab", "--json", "go"], ["--resume-job", "--json"]),
    ],
)
def test_values_and_the_task_are_never_seen_as_options(
    words: Sequence[str], options: list[str]
) -> None:
    assert options_of(command, words) == options


def test_words_are_told_apart_as_the_parser_does() -> None:
    assert list(Words(command, ["-b", "--name", "n", "--", "a", "-b"])) == [
        ("option", "-b"),
        ("option", "--name"),
        ("value", "n"),
        ("--", "--"),
        ("word", "a"),
        ("word", "-b"),
    ]
