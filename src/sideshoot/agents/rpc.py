"""A peer that speaks JSON-RPC in lines over a program's standard streams.

One object a line, as of JSON-RPC 2.0, without the `jsonrpc` member, as `codex app-server` speaks
it. Either side may ask: ids are counted apart for each direction. What is no such object (a
program's log line, colour codes around an object) is noise: the codes are taken off, and what then
still can't be read is handed on and never an error.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sideshoot.agents.base import Stop

    Message = dict[str, Any]

METHOD_NOT_FOUND = -32601

_LAST_WORDS_S = 1.0

# ECMA-48: control sequences (colours, cursor), operating system commands (titles), two-byte ones.
TERMINAL_CODES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class RpcFailure(Exception):
    """A call that has no result."""


class Refused(RpcFailure):
    """The peer answered with an error."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {message}")
        self.code = code
        self.message = message
        self.data = data


class PeerGone(RpcFailure):
    """The peer's output ended, or it no longer reads; no further answer can come."""


class NoAnswer(RpcFailure):
    """The peer did not answer in time."""


class Stopped(RpcFailure):
    """The caller was told to stop while it waited."""


class Handler(Protocol):
    """Who takes what the peer says unasked; called in the reader's thread, in order."""

    def on_notice(self, method: str, params: Any) -> None: ...

    def on_request(self, method: str, params: Any) -> Any:
        """The result to answer with.

        :raises Refused: to answer with its error.
        """

    def on_noise(self, line: bytes) -> None: ...

    def on_end(self, failure: BaseException | None) -> None:
        """The peer's output ended, or one of the above raised `failure`."""


class Deaf:
    """Who heeds nothing of what the peer says unasked, and grants nothing."""

    def on_notice(self, method: str, params: Any) -> None:
        pass

    def on_request(self, method: str, params: Any) -> Any:  # noqa: ARG002 - as every handler's
        raise Refused(method, METHOD_NOT_FOUND, "nobody is there to be asked")

    def on_noise(self, line: bytes) -> None:
        pass

    def on_end(self, failure: BaseException | None) -> None:
        pass


class Peer:
    """The program at the other end of `output` (which we read) and `input_` (which we write)."""

    def __init__(self, output: IO[bytes], input_: IO[bytes], handler: Handler) -> None:
        self._output = output
        self._input = input_
        self._handler = handler
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Message | RpcFailure]] = {}
        self._gone: RpcFailure | None = None
        self._ended = threading.Event()
        # Written by a thread of its own: a peer that does not read must not stop us from stopping.
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._read, daemon=True, name="rpc reader").start()
        threading.Thread(target=self._write, daemon=True, name="rpc writer").start()

    def call(
        self, method: str, params: Message, *, timeout_s: float, stop: Stop | None = None
    ) -> Any:
        """Ask, and wait for the result.

        :raises RpcFailure: there is none; its class says why.
        """
        answers: SimpleQueue[Message | RpcFailure] = SimpleQueue()
        number = next(self._numbers)
        with self._lock:
            if self._gone is not None:
                raise self._gone
            self._waiting[number] = answers
        if stop is not None:
            stop.on_request(lambda: answers.put(Stopped(method)))
        self.send(self._call_form(number, method, params))
        try:
            return _result(method, answers.get(timeout=timeout_s))
        except Empty:
            raise NoAnswer(f"no answer to {method} within {timeout_s:.0f} seconds") from None
        finally:
            self._waiting.pop(number, None)

    def notify(self, method: str, params: Message) -> None:
        """Say something that has no answer."""
        self.send({"method": method, "params": params})

    def send(self, message: Message) -> None:
        """Say something in the protocol's own form."""
        self._outgoing.put(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def hang_up(self) -> None:
        """Close the peer's standard input once all is written."""
        self._outgoing.put(None)

    def give_up(self) -> None:
        """The program is over: take what it still said, even if its output never ends.

        Some process that it left may hold its output open for as long as it likes.
        """
        if not self._ended.wait(_LAST_WORDS_S):
            self._lose(PeerGone("it ended"))
            self._handler.on_end(None)

    # -- what a protocol of another form has its own way of

    def _call_form(self, number: int, method: str, params: Message) -> Message:
        return {"id": number, "method": method, "params": params}

    def _answer_form(self, request: Message, answer: Message) -> Message:
        """:param answer: has `result` or `error`."""
        return {"id": request["id"], **answer}

    def _take(self, line: bytes) -> None:
        message = decode(line)
        if message is None:
            self._hear_noise(line)
        elif "method" not in message:
            self._settle(message)
        elif "id" in message:
            self._answer(message, str(message["method"]), message.get("params"))
        else:
            self._handler.on_notice(str(message["method"]), message.get("params"))

    # -- the two threads

    def _write(self) -> None:
        try:
            with self._input:
                while (line := self._outgoing.get()) is not None:
                    self._input.write(line)
                    self._input.flush()
        except (OSError, ValueError):
            self._lose(PeerGone("it no longer reads"))

    def _read(self) -> None:
        failure: BaseException | None = None
        try:
            with self._output:
                for line in self._output:
                    self._take(line)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits for the end
            failure = error
        self._lose(PeerGone("it ended"))
        self._ended.set()
        self._handler.on_end(failure)

    def _lose(self, reason: RpcFailure) -> None:
        with self._lock:
            self._gone = self._gone or reason
            waiting = list(self._waiting.values())
        for answers in waiting:
            answers.put(reason)

    def _hear_noise(self, line: bytes) -> None:
        if line.strip():
            self._handler.on_noise(line)

    def _settle(self, answer: Message) -> None:
        answers = self._waiting.get(answer["id"]) if isinstance(answer.get("id"), int) else None
        if answers is not None:
            answers.put(answer)

    def _answer(self, request: Message, method: str, params: Any) -> None:
        answer: Message
        try:
            answer = {"result": self._handler.on_request(method, params)}
        except Refused as refusal:
            answer = {"error": {"code": refusal.code, "message": refusal.message}}
        self.send(self._answer_form(request, answer))


def decode(line: bytes) -> Message | None:
    """The message in a line; `None` if it holds none."""
    message = decode_object(line)
    return message if message and ("method" in message or "id" in message) else None


def decode_object(line: bytes) -> Message | None:
    """The object in a line; `None` if it holds none. Codes and words before it don't matter."""
    # A control character inside a JSON string is always escaped: a bare one is never a part of it.
    text = TERMINAL_CODES.sub(b"", line) if b"\x1b" in line else line
    brace = text.find(b"{")
    try:
        message = json.loads(text[brace:] if brace > 0 else text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _result(method: str, answer: Message | RpcFailure) -> Any:
    if isinstance(answer, RpcFailure):
        raise answer
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    facts = error if isinstance(error, dict) else {"message": str(error)}
    message = str(facts.get("message", "no reason given"))
    raise Refused(method, int(facts.get("code") or 0), message, facts.get("data"))
