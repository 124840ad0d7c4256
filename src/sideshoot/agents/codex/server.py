"""A running `codex app-server`, from its start to the end of its last process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Any, Self

from sideshoot.agents.codex.faults import one_line
from sideshoot.agents.command import signal_name
from sideshoot.agents.process import AT_ONCE, LEFTOVERS, Tree
from sideshoot.agents.rpc import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from sideshoot.agents.base import Stop
    from sideshoot.agents.rpc import Handler

PROGRAM = "codex"
ANSWER_S = 30.0
"""For calls that Codex answers from what it has at hand."""
PATIENCE_S = 3.0
"""For each step of its end."""
_LAST_WORDS_BYTES = 8192
_LAST_WORDS_LINES = 5

# Said at every start with a home in an unusual place; it explains nothing.
_CHATTER = "WARNING: proceeding, even though we could not"


class Server:
    """The server and the conversation with it; leaving it ends every process of it."""

    def __init__(self, tree: Tree, peer: Peer, stderr: IO[bytes], patience_s: float) -> None:
        self.tree = tree
        self.patience_s = patience_s
        self._peer = peer
        self._stderr = stderr

    @classmethod
    def start(
        cls,
        handler: Handler,
        *,
        folder: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """Start `codex app-server` in `folder`.

        :param patience_s: how long each step of its end may take.
        :raises AgentUnavailable: it can't be started.
        """
        log = stderr.open("ab+") if stderr else tempfile.TemporaryFile()  # noqa: SIM115
        try:
            tree = Tree.start(
                [PROGRAM, "app-server"],
                folder=folder,
                environment=environment,
                stdin=subprocess.PIPE,
                stderr=log,
            )
        except BaseException:
            log.close()
            raise
        assert tree.process.stdout is not None
        assert tree.process.stdin is not None
        peer = Peer(tree.process.stdout, tree.process.stdin, handler)
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

    def initialize(self, *, timeout_s: float = ANSWER_S, stop: Stop | None = None) -> None:
        """Say who we are, and what we need not hear."""
        client = {"name": "sideshoot", "title": "Sideshoot", "version": _version()}
        capabilities = {"experimentalApi": True, "requestAttestation": False}
        params = {"clientInfo": client, "capabilities": capabilities}
        self.call("initialize", params, timeout_s=timeout_s, stop=stop)
        self._peer.notify("initialized", {})

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

    def interrupt(self, thread_id: str, turn_id: str) -> None:
        """Interrupt a turn; what the model said so far is kept in the thread.

        :raises RpcFailure: there is no such turn any more, or it does not answer.
        """
        parameters = {"threadId": thread_id, "turnId": turn_id}
        self.call("turn/interrupt", parameters, timeout_s=self.patience_s)

    def end_terminals(self, thread_id: str) -> None:
        """End the commands that outlived their turn; Codex does not, even when interrupted.

        :raises RpcFailure: it does not answer, or is too old to know the call.
        """
        parameters = {"threadId": thread_id}
        method = "thread/backgroundTerminals/clean"
        self.call(method, parameters, timeout_s=self.patience_s)

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
        status = self.tree.process.returncode
        if status is None:
            how = "stopped answering"
        else:
            how = (
                f"ended with status {status}"
                if status >= 0
                else f"was ended by {signal_name(-status)}"
            )
        return "; ".join([f"codex app-server {how}", *self.last_words()])

    def last_words(self) -> list[str]:
        """The last lines of its standard error that say something."""
        # The program writes where this file stands: it must be read without going anywhere in it.
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - _LAST_WORDS_BYTES)
        raw = os.pread(self._stderr.fileno(), _LAST_WORDS_BYTES, start)
        lines = raw.decode("utf-8", "replace").splitlines()
        told = [one_line(line) for line in lines if line.strip() and not line.startswith(_CHATTER)]
        return told[-_LAST_WORDS_LINES:]


def _version() -> str:
    from sideshoot import __version__  # noqa: PLC0415 - only the name of the client

    return __version__
