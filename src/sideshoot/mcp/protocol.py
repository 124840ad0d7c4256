"""What the Model Context Protocol says, of messages and of its revisions.

Two ways of beginning are spoken: up to 2025-11-25 a handshake (`initialize`) settles the revision
for the whole connection; from 2026-07-28 on there is none, and each request says which revision it
follows and what its client can do. The source is https://modelcontextprotocol.io/specification.
"""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]

HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""The revisions that `initialize` can settle on, newest first."""

STATELESS_VERSIONS = ("2026-07-28",)

BATCH_VERSION = "2025-03-26"
"""The one revision that has batches: the next one took them out again."""

# JSON-RPC 2.0, section 5.1
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
# Model Context Protocol
RESOURCE_NOT_FOUND = -32002
UNSUPPORTED_VERSION = -32022

_VERSION = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


class Refused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data

    @property
    def fields(self) -> Message:
        """The `error` member of the answer."""
        fields: Message = {"code": self.code, "message": str(self)}
        return fields if self.data is None else {**fields, "data": self.data}


def settled_version(offered: Any) -> str:
    """The revision for a connection whose client offers one: that, or the newest of ours.

    :raises Refused: none was offered.
    """
    if not isinstance(offered, str):
        raise Refused(INVALID_PARAMS, "initialize needs a protocolVersion")
    return offered if offered in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]


def is_stateless(params: Message) -> bool:
    """Whether a request says for itself which revision it follows."""
    return _VERSION in meta_of(params)


def stateless_capabilities(params: Message) -> Message:
    """What the client of such a request can do.

    :raises Refused: it follows a revision that is not spoken here, or does not say what it can do.
    """
    meta = meta_of(params)
    version, capabilities = meta[_VERSION], meta.get(_CAPABILITIES)
    if not isinstance(version, str) or not isinstance(capabilities, dict):
        raise Refused(INVALID_PARAMS, f"_meta needs {_VERSION} and {_CAPABILITIES}")
    if version not in STATELESS_VERSIONS:
        data = {"supported": list(STATELESS_VERSIONS), "requested": version}
        raise Refused(UNSUPPORTED_VERSION, f"the revision {version} is not spoken here", data)
    return capabilities


def meta_of(params: Message) -> Message:
    """The `_meta` of a request."""
    meta = params.get("_meta")
    return meta if isinstance(meta, dict) else {}


def is_id(value: Any) -> bool:
    """Whether a request may have this id: a text or a whole number."""
    return isinstance(value, str | int) and not isinstance(value, bool)
