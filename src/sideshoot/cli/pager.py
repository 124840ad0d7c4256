"""The user's pager, for what is longer than a screen."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from sideshoot.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Repository


@contextmanager
def paged(repository: Repository) -> Iterator[BinaryIO]:
    """A file to write to: the pager's on a terminal, standard output elsewhere."""
    pager = pager_of(repository) if output.is_terminal(sys.stdout) else None
    if pager is None:
        yield output.binary()
        return
    with _started(pager) as process:
        assert process.stdin is not None
        yield process.stdin  # type: ignore[misc]  # a buffered writer is a binary file


def pager_of(repository: Repository) -> str | None:
    """The command that the user wants for paging; `None` if they want none.

    As git finds it, but for the repository's own configuration: an agent can write to that, and
    what it names would be run.
    """
    candidates = [
        os.environ.get("GIT_PAGER"),
        _configured(repository),
        os.environ.get("PAGER"),
        "less",
    ]
    found = next(word for word in candidates if word is not None)
    return None if found in ("", "cat") else found


def _configured(repository: Repository) -> str | None:
    found = None
    for scope in ("--system", "--global"):
        answer = repository.git.run("config", scope, "--get", "core.pager", accept=(0, 1, 128))
        found = answer.text if answer.status == 0 else found
    return found


@contextmanager
def _started(pager: str) -> Iterator[subprocess.Popen[bytes]]:
    # What git gives to less: leave at once if it fits on a screen, show colours, keep the text.
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    process = subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, env=environment)
    try:
        yield process
    finally:
        try:
            process.communicate()
        except BrokenPipeError:
            process.wait()  # it was left before all was written
