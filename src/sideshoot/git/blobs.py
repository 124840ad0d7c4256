"""Read many blobs by one git process."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING, Protocol

from sideshoot.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git.command import Git

_ARGV = ("cat-file", "--batch")
_CHUNK = 1 << 20


class Sink(Protocol):
    """What takes bytes: an open file, or somebody who only counts them."""

    def write(self, data: bytes, /) -> int: ...


class Blobs:
    """The other end of a running `git cat-file --batch`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests = process.stdin
        self._answers = process.stdout

    def copy(self, oid: str, file: Sink) -> None:
        """Write a blob's bytes into an open file or the like, without any filter and without holding them.

        :raises GitError: there is no such object.
        """
        self._requests.write(oid.encode() + b"\n")
        self._requests.flush()
        header = self._answers.readline()
        if not header.endswith(b"\n") or header.endswith(b" missing\n"):
            raise GitError(_ARGV, 128, header or b"fatal: git ended")
        left = int(header.split(b" ")[2])
        while left:
            chunk = self._answers.read(min(left, _CHUNK))
            if not chunk:
                raise GitError(_ARGV, 128, b"fatal: git ended")
            file.write(chunk)
            left -= len(chunk)
        self._answers.read(1)


@contextlib.contextmanager
def reading_blobs(git: Git) -> Iterator[Blobs]:
    """A process that gives one blob after the other."""
    with git.start(*_ARGV, stdin=subprocess.PIPE) as process:
        try:
            yield Blobs(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
