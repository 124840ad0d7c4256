"""The floor: what is left of each step if only the bytes are written and each file is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks import steps
from benchmarks.figures import FLOOR, Figures
from benchmarks.repositories import git

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CHUNK = bytes(1 << 20)


def take_steps(repo: Path, changed: Sequence[str], into: Figures) -> None:
    """Write and look, and nothing else."""
    names = git(repo, "ls-files", "-z").split(b"\0")[:-1]
    files = [repo / os.fsdecode(name) for name in names]
    size = sum(file.lstat().st_size for file in files)
    with into.timed((steps.OPEN, FLOOR)):
        _write(repo.parent / "floor", size)
        _look(files)
    with into.timed((steps.CAPTURE, FLOOR), (steps.POOLED, FLOOR)):
        _look(files)
    with into.timed((steps.KEEP, FLOOR)):
        _start()
        _replace(repo.parent, [(repo / path).read_bytes() for path in changed])
    (repo.parent / "thrown").mkdir()
    with into.timed((steps.DISCARD_COMMAND, FLOOR)):
        _start()
        with into.timed((steps.DISCARD, FLOOR)):
            (repo.parent / "thrown").rename(repo.parent / "away")
    (repo.parent / "away").rmdir()


def _replace(folder: Path, contents: Sequence[bytes]) -> None:
    for content in contents:
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / "kept")


def _write(place: Path, size: int) -> None:
    with place.open("wb", buffering=0) as file:
        for start in range(0, size, len(_CHUNK)):
            file.write(_CHUNK[: size - start])
    place.unlink()


def _look(files: Sequence[Path]) -> None:
    for file in files:
        os.lstat(file)


def _start() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True)
