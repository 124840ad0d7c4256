"""Open a workspace that gets what the project needs and git ignores, and runs its set-up command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks import by_sideshoot
from benchmarks.figures import FLOOR, GIT, Figures
from benchmarks.repositories import build, git, paths

STEP = "open, with .env, node_modules and a set-up command"

_OWN_FILE = '[workspace]\nsetup = ["true"]\n'


def measure(top: Path, files: int, rounds: int) -> Figures:
    """Take it in a small repository with so many ignored files."""
    repo = _built(top, files)
    own = Path.home() / ".config" / "sideshoot" / "config.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(_OWN_FILE)
    figures = Figures()
    for number, into in figures.rounds(rounds):
        _take(repo, number, into)
    own.unlink()
    return figures


def _built(top: Path, files: int) -> Path:
    repo = build(top / "equipped", 200)
    (repo / ".git" / "info" / "exclude").write_text("/.env\n/node_modules/\n/.worktreeinclude\n")
    (repo / ".worktreeinclude").write_text(".env\nnode_modules/\n")
    (repo / ".env").write_text("KEY=value\n")
    for number, path in enumerate(paths(files)):
        place = repo / "node_modules" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"%d\n" % number * 1500)
    return repo


def _take(repo: Path, number: int, into: Figures) -> None:
    by_sideshoot.open_once(repo, f"# equipped, {number}", into, STEP)
    folder = repo.parent / "equipped-worktree"
    with into.timed((STEP, GIT)):
        git(repo, "worktree", "add", "-q", "-b", "bench/1", str(folder))
        subprocess.run(["cp", "-a", ".env", "node_modules", folder], cwd=repo, check=True)
    git(repo, "worktree", "remove", "--force", str(folder))
    git(repo, "branch", "-q", "-D", "bench/1")
    with into.timed((STEP, FLOOR)):
        subprocess.run(["cp", "-a", "node_modules", repo.parent / "floor"], cwd=repo, check=True)
    shutil.rmtree(repo.parent / "floor")
