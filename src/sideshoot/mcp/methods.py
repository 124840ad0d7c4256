"""What each method of the protocol answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot import __version__
from sideshoot.mcp import protocol
from sideshoot.mcp.catalogue import INSTRUCTIONS
from sideshoot.mcp.protocol import Message, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.mcp.exchange import Exchange

    Method = Callable[[Exchange], Message]

_INFO = {"name": "sideshoot", "title": "Sideshoot", "version": __version__}

_CAPABILITIES: Message = {"tools": {}, "resources": {}}

_CACHED: Message = {"ttlMs": 0, "cacheScope": "private"}
"""Where a client may hold on to an answer: what is listed here changes at any time."""

SLOW = {"tools/call", "resources/list", "resources/read"}
"""What reads records, asks the client, or works."""


def method_named(name: str, *, is_stateless: bool) -> Method:
    """What answers a request, but for `initialize`, which is the connection's own.

    :param is_stateless: the request stands for itself, without a handshake.
    :raises Refused: there is no such method in the client's revision.
    """
    own: dict[str, Method] = {"server/discover": _discovered} if is_stateless else {"ping": _pong}
    found = own.get(name) or _METHODS.get(name)
    if found is None:
        raise Refused(protocol.METHOD_NOT_FOUND, f"there is no method {name!r}")
    return found


def initialized(params: Message) -> tuple[Message, str]:
    """The answer to the handshake, and the revision that it settles on."""
    version = protocol.settled_version(params.get("protocolVersion"))
    answer = {
        "protocolVersion": version,
        "capabilities": _CAPABILITIES,
        "serverInfo": _INFO,
        "instructions": INSTRUCTIONS,
    }
    return answer, version


def as_stateless(method: str, result: Message) -> Message:
    """A result in the form that it has without a handshake."""
    cached = {} if method == "tools/call" else _CACHED
    return {
        "resultType": "complete",
        **cached,
        **result,
        "_meta": {protocol.SERVER_INFO: _INFO},
    }


def _discovered(_: Exchange) -> Message:
    return {
        "supportedVersions": list(protocol.STATELESS_VERSIONS),
        "capabilities": _CAPABILITIES,
        "instructions": INSTRUCTIONS,
    }


def _pong(_: Exchange) -> Message:
    return {}


def _tools(exchange: Exchange) -> Message:
    return {"tools": [tool.fields for tool in exchange.tools.values()]}


def _call(exchange: Exchange) -> Message:
    """Call a tool. What it refuses is an answer, for the model to read; only its name can be wrong."""
    name = exchange.params.get("name")
    tool = exchange.tools.get(name) if isinstance(name, str) else None
    if tool is None:
        raise Refused(protocol.INVALID_PARAMS, f"there is no tool {name!r}")
    from sideshoot.mcp.calls import called  # noqa: PLC0415 - not to list tools

    return called(tool, exchange)


def _resources(exchange: Exchange) -> Message:
    from sideshoot.mcp.resources import listed  # noqa: PLC0415 - not to list tools

    return {"resources": listed(exchange)}


def _templates(_: Exchange) -> Message:
    from sideshoot.mcp.resources import TEMPLATES  # noqa: PLC0415 - not to list tools

    return {"resourceTemplates": TEMPLATES}


def _read(exchange: Exchange) -> Message:
    from sideshoot.mcp.resources import contents  # noqa: PLC0415 - not to list tools

    return {"contents": contents(exchange, exchange.params.get("uri"))}


_METHODS: dict[str, Method] = {
    "tools/list": _tools,
    "tools/call": _call,
    "resources/list": _resources,
    "resources/templates/list": _templates,
    "resources/read": _read,
}
