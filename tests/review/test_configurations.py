"""No setting of the user's changes what a reviewer is shown, or what the command that it is told shows."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.jobs.task import LOOKING
from sideshoot.review.material import gather
from sideshoot.review.pathspec import as_word
from sideshoot.review.prompts import diff_command
from sideshoot.review.target import Wanted, resolve
from support.hostile import ENVIRONMENTS, SETTINGS, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sideshoot.review.target import Target
    from support.repos import Repo

NAMES = ["app.py", "docs/guide.txt", "it's *odd*.txt"]


@pytest.fixture
def edited(repo: Repo) -> Repo:
    repo.write("app.py", "edited = 1\n" + "".join(f"line_{n} = {n}\n" for n in range(2, 31)))
    repo.write("docs/guide.txt", "one\nTWO\nthree\n")
    repo.write("it's *odd*.txt", "odd\n")
    repo.git("mv", "README.md", "READ.md")
    return repo


def looked_up(repo: Repo, target: Target, name: str) -> str:
    """What the command shows that a reviewer is told."""
    command = diff_command(target, as_word(name.encode()))
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=repo.top,
        env=os.environ | LOOKING,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout.decode()


@pytest.mark.parametrize("setting", SETTINGS, ids=[setting.name for setting in SETTINGS])
def test_settings(edited: Repo, tools: Path, setting: Setting) -> None:
    repository = discover(edited.top)
    calm = gather(repository, resolve(repository, Wanted()), limit=100_000)
    setting.install(tools)

    target = resolve(repository, Wanted())

    assert gather(repository, target, limit=100_000) == calm
    shown = [looked_up(edited, target, name) for name in NAMES]
    assert "+edited = 1" in shown[0]
    assert "+TWO" in shown[1]
    assert "+odd" in shown[2]
    assert "\x1b" not in "".join(shown)


@pytest.mark.parametrize("variables", ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))
def test_variables(
    edited: Repo, tools: Path, variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = discover(edited.top)
    calm = gather(repository, resolve(repository, Wanted()), limit=100_000)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(top=edited.top, tools=tools))
    assert gather(repository, resolve(repository, Wanted()), limit=100_000) == calm
