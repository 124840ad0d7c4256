"""What went wrong is one line in plain words."""

from __future__ import annotations

import subprocess

import pytest

from sideshoot.agents.words import as_unicode, why_silent


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (subprocess.TimeoutExpired(["gemini", "--version"], 30.0), "not within 30 seconds"),
        (subprocess.CalledProcessError(3, ["gemini"]), "it ended with status 3"),
        (subprocess.CalledProcessError(-9, ["gemini"]), "it was ended by SIGKILL"),
        (OSError(8, "Exec format\nerror"), "[Errno 8] Exec format error"),
    ],
)
def test_a_program_that_says_nothing(error: Exception, words: str) -> None:
    assert why_silent(error) == words


def test_what_json_does_not_take_is_replaced() -> None:
    assert as_unicode("plum \U0001f331") == "plum \U0001f331"
    assert as_unicode("a byte \udce9, a half \ud800") == "a byte \ufffd, a half \ufffd"
