"""Codex, through `codex app-server`: threads, turns, its sandbox and its interrupts.

The protocol is Codex's own JSON-RPC over standard streams; what is used here is there, unchanged,
from Codex 0.100 to 0.169. `codex app-server generate-ts --out DIR` prints all of it.
"""

from sideshoot.agents.codex.agent import CodexAgent

__all__ = ["CodexAgent"]
