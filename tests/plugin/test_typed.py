"""What was typed is held as it was, for its own user, for a day."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sideshoot.errors import UsageError
from sideshoot.plugin.typed import (
    HELD_S,
    Typed,
    carrying_out,
    held,
    hold,
    note_job,
    read_command,
)


def folder() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "sideshoot" / "typed"


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("/sideshoot:rescue  fix\n it \n", Typed("rescue", "  fix\n it \n")),
        ("/sideshoot:rescue\nfix", Typed("rescue", "\nfix")),
        ("\n /sideshoot:status", Typed("status", "")),
        ("/sideshoot:adversarial-review x", Typed("adversarial-review", " x")),
        ("/sideshoot:reviewer x", None),
        ("/sideshoot:review-it", None),
        ("say /sideshoot:status", None),
        ("/other:status", None),
        ("", None),
    ],
)
def test_a_command_of_ours_is_known_by_its_name(prompt: str, found: Typed | None) -> None:
    assert read_command(prompt) == found


def test_it_is_had_back_to_the_byte_and_read_by_nobody_else() -> None:
    typed = Typed("rescue", "a\r\n\0\ud83d 'ä' 🌱" * 9000, session="s", folder="/x\udcff")
    name = hold(typed)
    assert held(name) == typed
    assert {file.stat().st_mode & 0o777 for file in folder().iterdir()} == {0o600}
    assert folder().stat().st_mode & 0o777 == 0o700


def test_the_job_that_was_begun_for_it_is_remembered() -> None:
    name = hold(Typed("rescue", "fix it"))
    with carrying_out(name):
        note_job(name, "k3fw9t")
    with carrying_out(name) as typed:
        assert (typed.words, typed.job) == ("fix it", "k3fw9t")


def test_it_is_forgotten_after_a_day() -> None:
    old, young = hold(Typed("status")), hold(Typed("status"))
    long_ago = time.time() - HELD_S - 60
    os.utime(folder() / old, (long_ago, long_ago))
    hold(Typed("status"))
    assert held(young)
    with pytest.raises(UsageError, match="any more"):
        held(old)


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "0123456789ab/..", "0" * 12, "0\0"])
def test_only_what_was_told_names_one(name: str) -> None:
    hold(Typed("status"))
    with pytest.raises(UsageError):
        held(name)
