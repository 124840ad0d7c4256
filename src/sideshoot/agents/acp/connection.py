"""A running agent that speaks the Agent Client Protocol."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sideshoot.agents.program import Program
from sideshoot.agents.rpc import Peer, Refused, RpcFailure
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import Stop

    Facts = dict[str, Any]

PROTOCOL_VERSION = 1
# An extension that codex-acp knows (2.6): without it, how the provider failed is the answer of a turn
# that seems to have gone well.
_TELL_FAILURES = {"jetbrains": {"air": {"version": 1, "capabilities": ["sessionFailure"]}}}
START_S = 120.0
"""For the first answers: an agent may be fetched, or wait for its own service, before it gives one."""
_WHOLE_TURN_S = 10 * 365 * 86400.0
"""A turn takes as long as it takes; the job has limits of its own."""


class AcpPeer(Peer):
    """The protocol's form: JSON-RPC 2.0, said in each message."""

    def send(self, message: Facts) -> None:
        super().send({"jsonrpc": "2.0", **message})


class Connection(Program):
    """The agent and the conversation with it; leaving it ends every process of it."""

    name = "the agent"
    speaks = AcpPeer

    def initialize(self, stop: Stop | None = None) -> Facts:
        """Say who we are; what the agent says that it is and can do.

        :raises RpcFailure: it does not answer.
        :raises AgentUnavailable: it speaks another version of the protocol.
        """
        files = {"readTextFile": False, "writeTextFile": False}
        params = {
            "protocolVersion": PROTOCOL_VERSION,
            "clientCapabilities": {"fs": files, "terminal": False, "_meta": _TELL_FAILURES},
            "clientInfo": {"name": "sideshoot", "title": "Sideshoot", "version": _version()},
        }
        said = self.call("initialize", params, timeout_s=START_S, stop=stop)
        if said.get("protocolVersion") != PROTOCOL_VERSION:
            raise AgentUnavailable(
                f"{self.name} speaks version {said.get('protocolVersion')} of the Agent Client "
                f"Protocol, and Sideshoot version {PROTOCOL_VERSION}; install one that fits"
            )
        return said

    def prompt(
        self, session_id: str, text: str, answered: Callable[[Facts | RpcFailure], None]
    ) -> None:
        """Begin a turn, and call back, from another thread, when it is over or can't be any more."""
        params = {"sessionId": session_id, "prompt": [{"type": "text", "text": text}]}

        def wait() -> None:
            try:
                answered(self.call("session/prompt", params, timeout_s=_WHOLE_TURN_S))
            except RpcFailure as failure:
                answered(failure)

        threading.Thread(target=wait, daemon=True, name="acp turn").start()

    def cancel(self, session_id: str) -> None:
        """Cancel the turn; it is answered soon."""
        self._peer.notify("session/cancel", {"sessionId": session_id})


def why(refusal: Refused) -> str:
    """What an error says, with the details that some agents put beside an empty phrase."""
    data = refusal.data
    details = data.get("details") or data.get("message") if isinstance(data, dict) else data
    return f"{refusal.message}: {details}" if isinstance(details, str) else refusal.message


def _version() -> str:
    from sideshoot import __version__  # noqa: PLC0415 - only the name of the client

    return __version__
