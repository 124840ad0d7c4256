"""The server: it hears a client's messages, has each request answered, and ends when the client goes.

One thread listens. What takes time (a tool, a resource) is answered in a thread of its own, so that
several calls run at once and a call can be cancelled while others go on.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

from sideshoot.cli.references import host_session
from sideshoot.mcp import protocol
from sideshoot.mcp.batch import Batch
from sideshoot.mcp.catalogue import TOOLS
from sideshoot.mcp.exchange import Exchange
from sideshoot.mcp.methods import SLOW, as_stateless, initialized, method_named
from sideshoot.mcp.protocol import Message, Refused
from sideshoot.mcp.roots import InputNeeded, Roots
from sideshoot.mcp.wire import Unreadable, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.mcp.catalogue import Tool
    from sideshoot.mcp.wire import Wire

    Reply = Callable[[Message | None], None]

LAST_CALLS_S = 30.0
"""How long a call that changes something may take to its end once the client is gone."""


class Server:
    """One client's connection, from its first message to its last."""

    def __init__(self, wire: Wire, tools: Mapping[str, Tool] = TOOLS) -> None:
        self._wire = wire
        self._tools = tools
        self._version: str | None = None
        self._roots = Roots(self._send)
        self._session = host_session() or f"mcp-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._exchanges: dict[Any, Exchange] = {}
        self._threads: list[threading.Thread] = []

    def serve(self) -> None:
        """Answer the client until it goes; jobs that it waits for go on without it."""
        try:
            for line in self._wire.lines():
                self._hear(line)
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            exchanges, threads = [*self._exchanges.values()], [*self._threads]
        self._roots.give_up()
        for exchange in exchanges:
            exchange.leave()
        for thread in threads:
            thread.join(LAST_CALLS_S)
        self._wire.close()

    # -- messages

    def _hear(self, line: bytes) -> None:
        try:
            message = decoded(line)
        except Unreadable as error:
            self._send_error(None, Refused(protocol.PARSE_ERROR, str(error)))
            return
        if isinstance(message, list) and self._version == protocol.BATCH_VERSION and message:
            batch = Batch(len(message), self._wire.send)
            for part in message:
                self._take(part, batch.add)
        else:
            self._take(message, self._reply)

    def _take(self, message: Any, reply: Reply) -> None:
        """Answer a message by one call of `reply`: with `None` where it gets no answer."""
        if not isinstance(message, dict):
            reply(_error(None, Refused(protocol.INVALID_REQUEST, "a message is an object")))
        elif "method" not in message:
            self._roots.hear(message)
            reply(None)
        elif "id" not in message:
            self._note(message)
            reply(None)
        else:
            self._answer(message, reply)

    def _answer(self, request: Message, reply: Reply) -> None:
        number, params = request["id"], request.get("params") or {}
        try:
            method = _checked(request, number, params)
            self._begin(number, method, params, reply)
        except Refused as refusal:
            reply(_error(number if protocol.is_id(number) else None, refusal))

    def _begin(self, number: Any, method: str, params: Message, reply: Reply) -> None:
        is_stateless = protocol.is_stateless(params) and method != "initialize"
        capabilities = protocol.stateless_capabilities(params) if is_stateless else None
        if not is_stateless and self._version is None and method not in ("initialize", "ping"):
            raise Refused(protocol.INVALID_REQUEST, f"{method} before initialize")
        exchange = Exchange(
            params,
            session=self._session,
            tools=self._tools,
            notify=self._notify,
            ask_for_roots=self._roots.asker(method, capabilities),
        )
        answer = self._answerer(method, exchange, is_stateless=is_stateless)
        if method not in SLOW:
            reply(answer(number))
            return
        with self._lock:
            if number in self._exchanges:
                raise Refused(protocol.INVALID_REQUEST, "there is a request of this id already")
            self._exchanges[number] = exchange
            thread = threading.Thread(
                target=lambda: self._end(number, exchange, answer(number), reply),
                name=f"call {number}",
                daemon=True,
            )
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]
            thread.start()

    def _end(self, number: Any, exchange: Exchange, answer: Message, reply: Reply) -> None:
        with self._lock:
            self._exchanges.pop(number, None)
        # A request that was cancelled gets no answer.
        reply(answer if exchange.finish() else None)

    def _answerer(
        self, method: str, exchange: Exchange, *, is_stateless: bool
    ) -> Callable[[Any], Message]:
        """What turns a request's id into its answer; it raises nothing."""
        act = (
            self._initialize
            if method == "initialize"
            else method_named(method, is_stateless=is_stateless)
        )

        def answer(number: Any) -> Message:
            try:
                result = act(exchange)
            except InputNeeded as needed:
                result = needed.fields
            except Refused as refusal:
                return _error(number, _in_words_of(refusal, is_stateless=is_stateless))
            except Exception as error:  # noqa: BLE001 - the last resort: a report, and an answer
                return _error(number, _fault(error, method))
            if is_stateless:
                result = as_stateless(method, result)
            return {"jsonrpc": "2.0", "id": number, "result": result}

        return answer

    def _initialize(self, exchange: Exchange) -> Message:
        answer, self._version = initialized(exchange.params)
        self._roots.learn(exchange.params.get("capabilities"))
        return answer

    def _note(self, notice: Message) -> None:
        params = notice.get("params")
        if notice["method"] == "notifications/roots/list_changed":
            self._roots.forget()
        elif notice["method"] == "notifications/cancelled" and isinstance(params, dict):
            number = params.get("requestId")
            with self._lock:
                exchange = self._exchanges.get(number) if protocol.is_id(number) else None
            if exchange is not None:
                exchange.cancel(str(params.get("reason") or ""))

    # -- what is said

    def _reply(self, answer: Message | None) -> None:
        if answer is not None:
            self._wire.send(answer)

    def _notify(self, method: str, params: Message) -> None:
        self._wire.send({"jsonrpc": "2.0", "method": method, "params": params})

    def _send(self, message: Message) -> None:
        self._wire.send({"jsonrpc": "2.0", **message})

    def _send_error(self, number: Any, refusal: Refused) -> None:
        self._wire.send(_error(number, refusal))


def _checked(request: Message, number: Any, params: Any) -> str:
    """The method of a request that is one."""
    method = request["method"]
    if not protocol.is_id(number) or not isinstance(method, str) or request.get("jsonrpc") != "2.0":
        raise Refused(protocol.INVALID_REQUEST, "a request has jsonrpc 2.0, an id and a method")
    if not isinstance(params, dict):
        raise Refused(protocol.INVALID_PARAMS, "the params of a request are an object")
    return method


def _error(number: Any, refusal: Refused) -> Message:
    return {"jsonrpc": "2.0", "id": number, "error": refusal.fields}


def _in_words_of(refusal: Refused, *, is_stateless: bool) -> Refused:
    # The revision without a handshake has retired the code of its own for this.
    if is_stateless and refusal.code == protocol.RESOURCE_NOT_FOUND:
        return Refused(protocol.INVALID_PARAMS, str(refusal), refusal.data)
    return refusal


def _fault(error: Exception, method: str) -> Refused:
    from sideshoot.mcp.calls import reported  # noqa: PLC0415 - rare

    return Refused(protocol.INTERNAL_ERROR, str(reported(error, method)))
