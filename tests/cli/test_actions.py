"""Commands to read and to paste."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sideshoot.cli.actions import command_from_anywhere, next_command
from sideshoot.cli.command import Call

if TYPE_CHECKING:
    from pathlib import Path


def call(folder: Path, *, named: bool) -> Call:
    return Call(folder=folder, json=False, named=named, dashed=None)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `sideshoot` that prints its arguments, as the one that is running."""
    program = tmp_path / "bin" / "sideshoot"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    return program


def test_is_short_for_who_has_the_program_on_the_path(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{installed.parent}:/usr/bin:/bin")
    assert next_command(call(tmp_path, named=False), "keep", "k3f9ab") == "sideshoot keep k3f9ab"
    named = next_command(call(tmp_path / "a b", named=True), "keep", "k3f9ab")
    assert named == f"sideshoot keep -C '{tmp_path}/a b' k3f9ab"


def test_names_the_program_in_full_for_who_has_not(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert next_command(call(tmp_path, named=False), "keep") == f"{installed} keep"
    monkeypatch.setattr(sys, "argv", ["/somewhere/sideshoot/__main__.py"])
    assert (
        next_command(call(tmp_path, named=False), "keep") == f"{sys.executable} -m sideshoot keep"
    )


@pytest.mark.parametrize(
    "name",
    ["plain", "a b", "it's", '"$HOME"', "`id`", "new\nline", "caf\udce9", "\\n\t", "-C", "日本"],
)
def test_works_in_any_folder_when_pasted(installed: Path, tmp_path: Path, name: str) -> None:
    command = command_from_anywhere(tmp_path / name, "keep", "k3f9ab")
    assert "\n" not in command
    said = subprocess.run(
        ["bash", "-c", os.fsencode(command)], cwd="/", capture_output=True, timeout=60, check=True
    ).stdout
    assert said.split(b"\0")[:-1] == [b"keep", b"-C", os.fsencode(tmp_path / name), b"k3f9ab"]
