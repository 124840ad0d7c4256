"""Looking is quick: commands that only look load nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.command import environment

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "msgspec",
    "multiprocessing",
    "psutil",
    "rich",
    "tempfile",
    "tomllib",
    "unidiff",
}

_CHILD = """
import json, sys
from sideshoot.cli.main import main
status = main(sys.argv[1:])
assert status == 0, status
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(cwd: Path, *words: str) -> set[str]:
    """The modules that are there once a command is done."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *words],
        cwd=cwd,
        env=environment({}),
        capture_output=True,
        timeout=90,
    )
    assert done.returncode == 0, done
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["keep", "--help"], ["run", "--help"]])
def test_help_starts_no_program_and_opens_no_store(tmp_path: Path, words: list[str]) -> None:
    modules = loaded(tmp_path, *words)
    assert not modules & (HEAVY | {"sqlite3", "sideshoot.jobs.store", "sideshoot.workspace.keep"})


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["status", "--all"]])
def test_status_loads_little_more_than_click(
    repo: Repo, sideshoot: Command, words: list[str]
) -> None:
    sideshoot.run("echo x > x")
    modules = loaded(repo.top, *words)
    assert not modules & HEAVY
    agents = {name for name in modules if name.startswith("sideshoot.agents.")}
    assert not agents
    assert not {name for name in modules if name.startswith("sideshoot.workspace.")}


@pytest.mark.parametrize("copy", ["worktree", "clone"])
@pytest.mark.parametrize("words", [["result"], ["diff", "--stat"]])
def test_result_loads_what_compares(
    repo: Repo, sideshoot: Command, words: list[str], copy: str
) -> None:
    sideshoot.run("echo x > x", "--isolation", copy)
    assert not loaded(repo.top, *words) & HEAVY
