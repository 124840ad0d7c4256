"""Repositories to measure on: of any size, the same each time, with files as long as usual ones."""

from __future__ import annotations

import os
import random
import subprocess
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MEAN_BYTES = 12_000
SMALL_BYTES = 600
"""How long files are where there are very many of them."""
VERY_MANY = 100_000
FOLDERS = 10
"""So many files and folders are in each folder."""


def build(top: Path, files: int) -> Path:
    """A repository with one commit of so many files, checked out and older than its index."""
    top.mkdir(parents=True)
    git(top, "init", "-q")
    _import(top, files)
    git(top, "reset", "-q", "--hard", "main")
    let_be_old(top, list(paths(files)))
    return top


def paths(files: int) -> Iterator[str]:
    """Where the files lie: ten in a folder, ten folders in each."""
    for number in range(files):
        folders = "/".join(f"part_{digit}" for digit in str(number // FOLDERS))
        yield f"{folders}/module_{number}.py"


def let_be_old(top: Path, changed: Sequence[str]) -> None:
    """Give files a time before the index's, as the files have that somebody works with."""
    old = time.time() - 3600
    for path in changed:
        if (top / path).exists():
            os.utime(top / path, (old, old))
    git(top, "update-index", "-q", "--refresh")


def restore(top: Path, changed: Sequence[str]) -> None:
    """Have the repository as it was built, after some files were changed."""
    git(top, "reset", "-q", "--hard")
    let_be_old(top, changed)


def git(top: Path, *argv: str) -> bytes:
    done = subprocess.run(["git", *argv], cwd=top, capture_output=True, check=True)
    return done.stdout


def machine() -> str:
    done = subprocess.run(["git", "version"], capture_output=True, check=True, text=True)
    return f"{os.cpu_count()} processors, {done.stdout.strip()}"


def _import(top: Path, files: int) -> None:
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=top, stdin=subprocess.PIPE
    ) as done:
        assert done.stdin is not None
        _write_commit(done.stdin, files)
    if done.returncode:
        raise SystemExit("git fast-import failed")


def _write_commit(stream: IO[bytes], files: int) -> None:
    stream.write(b"commit refs/heads/main\ncommitter Bench <bench@example.org> 1700000000 +0000\n")
    stream.write(b"data 5\nfirst\n")
    dice = random.Random(files)
    text = _text(dice)
    mean = MEAN_BYTES if files < VERY_MANY else SMALL_BYTES
    for path in paths(files):
        size = min(int(dice.expovariate(1 / mean)) + 100, 200_000)
        start = dice.randrange(len(text) - size)
        content = text[start : start + size] + b"\n"
        stream.write(b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(content)))
        stream.write(content)


def _text(dice: random.Random) -> bytes:
    words = [b"%x" % dice.randrange(16 ** dice.randrange(2, 9)) for _ in range(5000)]
    return b"".join(dice.choice(words) + dice.choice(b" \n ").to_bytes() for _ in range(400_000))
