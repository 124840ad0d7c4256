"""OpenCode, through `opencode serve`: a private server, sessions, and its stream of events.

The protocol is HTTP with JSON, on 127.0.0.1 behind a password, and server-sent events; `GET /doc`
prints all of it. What is used here is that of OpenCode 1.18.
"""

from sideshoot.agents.opencode.agent import OpenCodeAgent

__all__ = ["OpenCodeAgent"]
