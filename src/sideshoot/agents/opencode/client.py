"""Calls to OpenCode's server: one request, one answer."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import urllib.parse
from typing import TYPE_CHECKING, Any

from sideshoot.agents.rpc import NoAnswer, PeerGone, Refused, Stopped
from sideshoot.agents.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sideshoot.agents.base import Stop

HOST = "127.0.0.1"
USER = "opencode"
ANSWER_S = 60.0
"""For one call; the first in a folder may have to start tool servers."""


class Client:
    """Speaks to the server at `port` on behalf of one folder.

    The folder goes with every request; a session all the same works where it was created.
    """

    def __init__(self, port: int, password: str, folder: Path) -> None:
        self._port = port
        credentials = f"{USER}:{password}".encode()
        self._authorization = f"Basic {base64.b64encode(credentials).decode()}"
        self.folder = folder

    def get(self, path: str, *, timeout_s: float = ANSWER_S, stop: Stop | None = None) -> Any:
        """What is at `path`.

        :raises RpcFailure: as for `call`.
        """
        return self.call("GET", path, timeout_s=timeout_s, stop=stop)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        folder: Path | None = None,
        timeout_s: float = ANSWER_S,
        stop: Stop | None = None,
    ) -> Any:
        """Ask, and wait for the answer; `None` if it is empty.

        :param folder: another one than the client's.
        :raises RpcFailure: there is no answer, or it is an error; its class says which.
        """
        connection = http.client.HTTPConnection(HOST, self._port, timeout=timeout_s)
        try:
            connection.connect()
            if stop is not None:
                stop.on_request(lambda: _hang_up(connection))
            connection.request(method, path, _encoded(body), self.headers(folder))
            response = connection.getresponse()
            content = response.read()
        except TimeoutError:
            raise NoAnswer(f"no answer to {path} within {timeout_s:.0f} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            if stop is not None and stop.requested:
                raise Stopped(path) from None
            raise PeerGone(f"{path}: {error}") from None
        finally:
            connection.close()
        return _result(path, response.status, content)

    @contextlib.contextmanager
    def events(self, timeout_s: float) -> Iterator[Iterable[bytes]]:
        """The lines of the stream of events.

        :param timeout_s: how long it may be silent; the server sends a sign of life every 10 seconds.
        :raises OSError: there is no server any more, or it is silent.
        """
        connection = http.client.HTTPConnection(HOST, self._port, timeout=timeout_s)
        try:
            connection.request("GET", "/event", headers=self.headers())
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def headers(self, folder: Path | None = None) -> dict[str, str]:
        """What goes with every request."""
        return {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
            "x-opencode-directory": urllib.parse.quote(bytes(folder or self.folder)),
        }


def _encoded(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _result(path: str, status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content) if content else None
    except ValueError:
        # OpenCode 2 answers every path that it does not know with a page for browsers, and 200.
        raise Refused(path, status, "the answer is no JSON") from None
    if status >= 400:
        raise Refused(path, status, _reason(answer) or f"HTTP status {status}")
    return answer


def _reason(answer: Any) -> str:
    """`{"name": …, "data": {"message": …}}`, or the message at the top."""
    facts = answer if isinstance(answer, dict) else {}
    data = facts.get("data")
    inner = data if isinstance(data, dict) else {}
    return one_line(inner.get("message") or facts.get("message") or facts.get("name") or "")
