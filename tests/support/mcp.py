"""A client of the Model Context Protocol for tests: as small as one can be, and as strict."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

from support.command import PROGRAM, TIME_LIMIT_S, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Message = dict[str, Any]

NEWEST = "2025-11-25"
STATELESS = "2026-07-28"


class Refused(Exception):
    """The server answered with an error of the protocol."""

    def __init__(self, error: Message) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data = error.get("data")


class Client:
    """A started `sideshoot mcp`, and all that it has said."""

    def __init__(
        self, cwd: Path, *, env: Mapping[str, str | None] | None = None, argv: Sequence[str] = ()
    ) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "mcp", *argv],
            cwd=cwd,
            env=environment(env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.roots: list[str] | None = None
        """What is answered when the server asks for roots: URIs."""
        self.roots_asked = 0
        self.said: list[Any] = []
        """Every message of the server's, in order."""
        self.noise: list[bytes] = []
        """Lines of standard output that were no message."""
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    # -- the protocol

    def begin(self, version: str = NEWEST, **capabilities: Any) -> Message:
        """The handshake; returns what the server says of itself."""
        client = {"name": "test", "version": "1"}
        offered = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
        answer = self.request("initialize", offered)
        self.notify("notifications/initialized")
        return answer

    def request(self, method: str, params: Message | None = None) -> Message:
        """Ask, and wait for the result."""
        return self.result_of(self.ask(method, params))

    def ask(self, method: str, params: Message | None = None) -> int:
        """Ask, and return the request's id at once."""
        number = next(self._numbers)
        message: Message = {"jsonrpc": "2.0", "id": number, "method": method}
        self.send(message if params is None else message | {"params": params})
        return number

    def result_of(self, number: Any) -> Message:
        """Wait for the answer to a request.

        :raises Refused: it is an error.
        """
        answer = self.await_said(lambda said: isinstance(said, dict) and _answers(said, number))
        if "error" in answer:
            raise Refused(answer["error"])
        result: Message = answer["result"]
        return result

    def notify(self, method: str, params: Message | None = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method} | ({"params": params} if params else {}))

    def send(self, message: Any) -> None:
        self.send_line(json.dumps(message).encode())

    def send_line(self, line: bytes) -> None:
        """Say anything at all."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    # -- tools

    def call(self, tool: str, /, **arguments: Any) -> Message:
        """Call a tool, and return the whole of its result."""
        return self.result_of(self.start(tool, **arguments))

    def start(self, tool: str, /, *, meta: Message | None = None, **arguments: Any) -> int:
        """Call a tool, and return the request's id at once."""
        params: Message = {"name": tool, "arguments": arguments}
        return self.ask("tools/call", params | ({"_meta": meta} if meta else {}))

    def do(self, tool: str, /, **arguments: Any) -> Message:
        """Call a tool that succeeds, and return the record that it answers with."""
        result = self.call(tool, **arguments)
        assert not result["isError"], result
        record: Message = result["structuredContent"]
        assert json.loads(result["content"][0]["text"]) == record
        return record

    def refused(self, tool: str, /, *words: str, **arguments: Any) -> Message:
        """Call a tool that refuses with one line that has `words`; returns the facts of the error."""
        result = self.call(tool, **arguments)
        assert result["isError"], result
        line = result["content"][0]["text"]
        assert "Traceback" not in line
        for word in words:
            assert word in line, (word, line)
        error: Message = result["structuredContent"]["error"]
        return error

    # -- what is heard

    def await_said(self, test: Callable[[Any], bool]) -> Any:
        """Wait for the first message that passes, and return it."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._ended or any(map(test, self.said)), TIME_LIMIT_S
            )
            found = [said for said in self.said if test(said)]
        assert came, f"it hung; it has said {self.said}"
        assert found, f"it ended; it had said {self.said}, and {self.errors()!r}"
        return found[0]

    def notices(self, method: str) -> list[Message]:
        """The params of the notices of this kind that came until now."""
        with self._changed:
            said = [each for each in self.said if isinstance(each, dict)]
        return [each["params"] for each in said if each.get("method") == method]

    def errors(self) -> str:
        """What the server wrote to standard error; it has to have ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode(errors="replace")

    # -- the end

    def close(self) -> int:
        """Hang up, and return the server's exit status."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process.wait(TIME_LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIME_LIMIT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError, ValueError):
                if stream is not None:
                    stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):  # closed under us
            for line in self.process.stdout:
                self._hear(line)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _hear(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.noise.append(line)
            return
        with self._changed:
            self.said.append(message)
            self._changed.notify_all()
        if isinstance(message, dict) and message.get("method") == "roots/list":
            self.roots_asked += 1
            roots = [{"uri": uri} for uri in self.roots or []]
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": {"roots": roots}})


def _answers(said: Message, number: Any) -> bool:
    return "method" not in said and said.get("id") == number


def stateless(capabilities: Message | None = None, version: Any = STATELESS) -> Message:
    """The `_meta` of a request that needs no handshake."""
    return {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": capabilities or {},
    }
