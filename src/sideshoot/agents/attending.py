"""A conversation with an agent's program, from its beginning to its end, whatever comes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sideshoot.agents.rpc import PeerGone, RpcFailure, Stopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sideshoot.agents.base import Stop
    from sideshoot.agents.program import Program


class Attended(Protocol):
    """The turn that is attended to."""

    settled: threading.Event
    failure: BaseException | None

    @property
    def over(self) -> bool:
        """Whether the agent said that it is."""


def attend(
    program: Program,
    turn: Attended,
    stop: Stop,
    *,
    begin: Callable[[], None],
    quiet: Callable[[], None],
    explain: Callable[[RpcFailure], str],
) -> str | None:
    """Begin the turn, wait for its end, and close the program; why that failed, if it did.

    How the turn went, and what the stop came to, is for the caller to judge.

    :param quiet: ends the turn, if it is not over, and what it left running.
    :param explain: says in one line what a call that failed means.
    :raises AgentUnavailable: as `begin`.
    """
    error = None
    try:
        begin()
        stop.on_request(turn.settled.set)
        turn.settled.wait()
    except (Stopped, PeerGone):
        pass  # the stop and the turn tell what came of it
    except RpcFailure as failure:
        error = explain(failure)
    quiet()
    if error is None and not turn.over and not stop.requested and turn.failure is None:
        error = program.obituary()
    program.close()
    return error
