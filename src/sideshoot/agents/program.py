"""A program that is spoken with over its standard streams, until its last process has ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self

from sideshoot.agents.process import AT_ONCE, LEFTOVERS, Tree
from sideshoot.agents.rpc import TERMINAL_CODES, Peer
from sideshoot.agents.words import how_it_ended, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sideshoot.agents.base import Stop
    from sideshoot.agents.rpc import Handler

ANSWER_S = 30.0
"""For calls that a program answers from what it has at hand."""
PATIENCE_S = 3.0
"""For each step of its end."""
_LAST_WORDS_BYTES = 8192
_LAST_WORDS_LINES = 5


def version_of(
    program: str, *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> str:
    """The last word of what a program says to `--version`.

    :raises OSError, subprocess.SubprocessError, IndexError: it says nothing.
    """
    done = subprocess.run(
        [program, "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        env=environment,
        check=True,
    )
    return done.stdout.decode(errors="replace").split()[-1]


def last_lines(stderr: IO[bytes], is_chatter: Callable[[str], bool]) -> list[str]:
    """The last lines that a program wrote into a file, without those that explain nothing."""
    # The program writes where this file stands: it must be read without going anywhere in it.
    start = max(0, os.fstat(stderr.fileno()).st_size - _LAST_WORDS_BYTES)
    raw = TERMINAL_CODES.sub(b"", os.pread(stderr.fileno(), _LAST_WORDS_BYTES, start))
    lines = raw.decode("utf-8", "replace").splitlines()
    told = [one_line(line) for line in lines if line.strip() and not is_chatter(line)]
    return told[-_LAST_WORDS_LINES:]


class Program:
    """The program and the conversation with it; leaving it ends every process of it."""

    name: str
    """What it is called in messages."""
    chatter: ClassVar[tuple[str, ...]] = ()
    """How lines of its standard error begin that explain nothing."""
    speaks: ClassVar[type[Peer]] = Peer
    """The form of its protocol."""

    def __init__(self, tree: Tree, peer: Peer, stderr: IO[bytes], patience_s: float) -> None:
        self.tree = tree
        self.patience_s = patience_s
        self._peer = peer
        self._stderr = stderr

    @classmethod
    def launch(
        cls,
        argv: Sequence[str],
        handler: Handler,
        *,
        folder: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """Start `argv` in `folder`.

        :param patience_s: how long each step of its end may take.
        :raises AgentUnavailable: it can't be started.
        """
        log = stderr.open("ab+") if stderr else tempfile.TemporaryFile()  # noqa: SIM115
        try:
            tree = Tree.start(
                argv, folder=folder, environment=environment, stdin=subprocess.PIPE, stderr=log
            )
        except BaseException:
            log.close()
            raise
        assert tree.process.stdout is not None
        assert tree.process.stdin is not None
        peer = cls.speaks(tree.process.stdout, tree.process.stdin, handler)
        peer.start()
        tree.when_over(peer.give_up)
        return cls(tree, peer, log, patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        finally:
            self.tree.end(AT_ONCE)
            self._stderr.close()

    def call(
        self,
        method: str,
        params: dict[str, Any],
        *,
        timeout_s: float = ANSWER_S,
        stop: Stop | None = None,
    ) -> dict[str, Any]:
        """Ask, and wait for the result.

        :raises RpcFailure: there is none.
        """
        result = self._peer.call(method, params, timeout_s=timeout_s, stop=stop)
        return result if isinstance(result, dict) else {}

    def close(self) -> None:
        """Let it end by itself, as it does when its input ends; then end what is left."""
        self._peer.hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.tree.process.wait(self.patience_s)
        self.tree.end(LEFTOVERS)

    def obituary(self) -> str:
        """How it ended, with the last lines that it wrote to its standard error."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.tree.process.wait(self.patience_s)
        how = how_it_ended(self.tree.process.returncode)
        return "; ".join([f"{self.name} {how}", *self.last_words()])

    def last_words(self) -> list[str]:
        """The last lines of its standard error that say something."""
        return last_lines(self._stderr, lambda line: line.startswith(self.chatter))
