"""A running `opencode serve`, from its start to the end of its last process."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any, Self

from sideshoot.agents.opencode.client import HOST, USER, Client
from sideshoot.agents.opencode.faults import INSTALL
from sideshoot.agents.process import AT_ONCE, Graces, Tree
from sideshoot.agents.program import last_lines
from sideshoot.agents.rpc import NoAnswer, PeerGone, Refused, Stopped
from sideshoot.agents.words import how_it_ended
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sideshoot.agents.base import Stop

PROGRAM = "opencode"
PATIENCE_S = 5.0
"""For each step of its end."""
LISTEN_S = 90.0
"""It takes one to three seconds, and much longer on a busy machine."""

_LISTENING = re.compile(rb"listening on http://[^\s:]+:(\d+)")
_CHATTER = "Error: Unexpected error"  # the line after it says which

# For jobs: git records what they change, nobody is there for an update, and nothing is published.
_SETTINGS = {"snapshot": False, "autoupdate": False, "share": "disabled"}


class Server:
    """The server and how to speak to it; leaving it ends every process of it."""

    def __init__(self, tree: Tree, stderr: IO[bytes], password: str, patience_s: float) -> None:
        self.tree = tree
        self.patience_s = patience_s
        self._stderr = stderr
        self._password = password
        self._known = threading.Event()
        """Its port is known, or will never be."""
        self._port: int | None = None

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """Start `opencode serve` in `folder`, for us alone.

        :param argv: `command()`, or what starts it inside a fence.
        :param patience_s: how long each step of its end may take.
        :raises AgentUnavailable: it can't be started.
        """
        password = secrets.token_urlsafe(24)
        log = stderr.open("ab+") if stderr else tempfile.TemporaryFile()  # noqa: SIM115
        try:
            tree = Tree.start(
                argv,
                folder=folder,
                environment=_equipped(environment, password),
                stderr=log,
            )
        except BaseException:
            log.close()
            raise
        server = cls(tree, log, password, patience_s)
        threading.Thread(target=server._drain, daemon=True, name="opencode output").start()
        tree.when_over(server._known.set)
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.tree.end(AT_ONCE)
        finally:
            self._stderr.close()

    def connect(
        self, folder: Path, *, timeout_s: float = LISTEN_S, stop: Stop | None = None
    ) -> Client:
        """Wait until it listens, and make sure that it speaks the protocol that we know.

        :raises RpcFailure: it does not come so far.
        :raises AgentUnavailable: it speaks another protocol.
        """
        if stop is not None:
            stop.on_request(self._known.set)
        self._known.wait(timeout_s)
        if stop is not None and stop.requested:
            raise Stopped("start")
        if self._port is None:
            raise PeerGone("it ended") if self.tree.over else NoAnswer("it does not listen")
        client = Client(self._port, self._password, folder)
        _probe(client, stop)
        return client

    def close(self) -> None:
        """Ask it to end, and the commands that it left running; then end what is left."""
        self.tree.end(Graces(interrupt_s=0.0, terminate_s=self.patience_s))

    def obituary(self) -> str:
        """How it ended, with the last lines that it wrote to its standard error."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.tree.process.wait(self.patience_s)
        how = how_it_ended(self.tree.process.returncode)
        return "; ".join(
            [f"opencode serve {how}", *last_lines(self._stderr, lambda line: _CHATTER in line)]
        )

    def _drain(self) -> None:
        assert self.tree.process.stdout is not None
        with self.tree.process.stdout as output:
            for line in output:
                if found := _LISTENING.search(line):
                    self._port = int(found[1])
                    self._known.set()


def command() -> list[str]:
    """The argument list that starts it on a port of its own."""
    return [PROGRAM, "serve", "--hostname", HOST, "--port", str(_free_port())]


def _free_port() -> int:
    """A port that nobody has. Left to itself OpenCode takes 4096, where other tools look for it."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _equipped(environment: Mapping[str, str], password: str) -> dict[str, str]:
    return {
        **environment,
        "OPENCODE_SERVER_USERNAME": USER,
        "OPENCODE_SERVER_PASSWORD": password,
        "OPENCODE_CONFIG_CONTENT": json.dumps(_settings(environment) | _SETTINGS),
    }


def _settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the user themselves hands over in this variable."""
    try:
        given = json.loads(environment.get("OPENCODE_CONFIG_CONTENT") or "{}")
    except ValueError as error:
        raise AgentUnavailable(f"OPENCODE_CONFIG_CONTENT is no JSON: {error}") from None
    return given if isinstance(given, dict) else {}


def _probe(client: Client, stop: Stop | None) -> None:
    try:
        health = client.get("/global/health", stop=stop)
    except Refused:
        health = None
    if not isinstance(health, dict) or health.get("healthy") is not True:
        raise AgentUnavailable(
            f"this opencode speaks a protocol that Sideshoot does not know; run `{INSTALL}`"
        )
