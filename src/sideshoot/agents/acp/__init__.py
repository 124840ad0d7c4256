"""Any agent that speaks the Agent Client Protocol, version 1 (agentclientprotocol.com).

JSON-RPC 2.0, one object a line, over the agent's standard streams::

    initialize       what either side can do; we offer no files and no terminals of ours
    session/new      or session/resume, or session/load, which tells again all that was said
    session/prompt   answered when the turn is over; until then session/update tells what happens,
                     and session/request_permission asks
    session/cancel   the turn is answered with the reason `cancelled`
"""

from sideshoot.agents.acp.agent import AcpAgent

__all__ = ["AcpAgent"]
