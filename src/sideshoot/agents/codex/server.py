"""A running `codex app-server`, from its start to the end of its last process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from sideshoot.agents.program import ANSWER_S, PATIENCE_S, Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sideshoot.agents.base import Stop
    from sideshoot.agents.rpc import Handler

PROGRAM = "codex"
ARGV = (PROGRAM, "app-server")


class Server(Program):
    """The server and the conversation with it; leaving it ends every process of it."""

    name = "codex app-server"
    # Said at every start with a home in an unusual place; it explains nothing.
    chatter = ("WARNING: proceeding, even though we could not",)

    @classmethod
    def start(
        cls,
        handler: Handler,
        argv: Sequence[str] = ARGV,
        *,
        folder: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """Start `codex app-server` in `folder`, as `launch` says.

        :param argv: what starts it, inside a fence for instance.
        """
        return cls.launch(
            argv,
            handler,
            folder=folder,
            environment=environment,
            stderr=stderr,
            patience_s=patience_s,
        )

    def initialize(self, *, timeout_s: float = ANSWER_S, stop: Stop | None = None) -> None:
        """Say who we are, and what we need not hear."""
        client = {"name": "sideshoot", "title": "Sideshoot", "version": _version()}
        capabilities = {"experimentalApi": True, "requestAttestation": False}
        params = {"clientInfo": client, "capabilities": capabilities}
        self.call("initialize", params, timeout_s=timeout_s, stop=stop)
        self._peer.notify("initialized", {})

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


def _version() -> str:
    from sideshoot import __version__  # noqa: PLC0415 - only the name of the client

    return __version__
