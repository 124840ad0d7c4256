"""Flags count in front; the rest is the user's, to the byte."""

from __future__ import annotations

import re

import pytest

from sideshoot.errors import UsageError
from sideshoot.plugin.flags import MAYBE_JOB, SWITCH, VALUE, VALUES, Flags

KINDS = {
    "--background": SWITCH,
    "--fresh": SWITCH,
    "--agent": VALUE,
    "--model": VALUE,
    "--path": VALUES,
    "--resume": MAYBE_JOB,
}


def flags(words: str) -> Flags:
    return Flags(words, KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "fix it",
        "say \"it's\" and 'that'",
        "--help prints the wrong default",
        "-x",
        "fix --agent handling, --background too",
        "a\n\n  b\tc  \n",
        "$(touch evil) `touch evil` ${HOME} $1 \\n \\\\",
        "@file !`ls` #tag /sideshoot:rescue x",
        "\u2028ä🌱\x00\x1b[31m",
        "x" * 100_000,
    ],
)
def test_the_text_stays_as_it_is(text: str) -> None:
    for front in ("", " ", " --agent codex ", " --background --agent=codex\n", " -- "):
        found = flags(f"{front}{text}")
        assert found.text == text
        assert found.one("--agent") == ("codex" if "codex" in front else None)
        assert found.has("--background") == ("--background" in front)


def test_what_sets_the_text_off_is_no_part_of_it_and_its_indentation_is() -> None:
    assert flags("  \t fix it").text == "fix it"
    assert flags(" --fresh\n    code\n  more").text == "    code\n  more"


def test_two_dashes_end_the_flags() -> None:
    found = flags(" --fresh -- --agent codex")
    assert (found.text, found.has("--fresh"), found.has("--agent")) == (
        "--agent codex",
        True,
        False,
    )
    assert flags(" --").text == ""


def test_values_may_be_quoted_and_the_last_one_counts() -> None:
    found = flags(""" --model "gpt 5" --agent a --agent='b c' --path x --path y z""")
    assert (found.one("--model"), found.one("--agent"), found.text) == ("gpt 5", "b c", "z")
    assert found.all("--path") == ["x", "y"]


@pytest.mark.parametrize(
    ("words", "job", "text"),
    [
        (" --resume", None, ""),
        (" --resume k3fw9t go on", "k3fw9t", "go on"),
        (" --resume go on", None, "go on"),
        (" --resume=k3 go on", "k3", "go on"),
    ],
)
def test_a_job_is_named_only_by_what_is_shaped_like_one(
    words: str, job: str | None, text: str
) -> None:
    found = flags(words)
    assert (found.has("--resume"), found.one("--resume"), found.text) == (True, job, text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (" --backgroud fix it", "did you mean --background?"),
        (" --models x", "did you mean --model?"),
        (" --agent", "--agent needs a value"),
        (" --agent= x", "--agent needs a value"),
        (" --agent -- x", "--agent needs a value"),
        (" --fresh=yes x", "--fresh takes no value"),
    ],
)
def test_what_can_only_be_a_mistake_is_refused(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        flags(words)
