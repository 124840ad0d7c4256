"""What Codex is told when it asks back: nothing beyond its sandbox, and never silence.

A question without an answer would hold the turn for ever. A refusal lets the model go on, with
the reason that it may not.
"""

from __future__ import annotations

import time
from typing import Any

from sideshoot.agents.rpc import METHOD_NOT_FOUND, Refused

_ANSWERS: dict[str, dict[str, Any]] = {
    "item/commandExecution/requestApproval": {"decision": "decline"},
    "item/fileChange/requestApproval": {"decision": "decline"},
    "item/permissions/requestApproval": {"permissions": {}, "scope": "turn"},
    "item/tool/requestUserInput": {"answers": {}},
    "item/tool/call": {
        "success": False,
        "contentItems": [{"type": "inputText", "text": "There is no such tool here."}],
    },
    "mcpServer/elicitation/request": {"action": "decline", "content": None, "_meta": None},
    # Before Codex 0.100 approvals went by these names.
    "execCommandApproval": {"decision": "denied"},
    "applyPatchApproval": {"decision": "denied"},
}


def answer_to(method: str) -> dict[str, Any]:
    """The answer to a request of Codex's.

    :raises Refused: it is one that only an error can answer.
    """
    if method == "currentTime/read":
        return {"currentTimeAt": int(time.time())}
    if method in _ANSWERS:
        return _ANSWERS[method]
    raise Refused(method, METHOD_NOT_FOUND, f"{method} is not supported")


def description(method: str, params: Any) -> str:
    """What was asked and not granted, in one line."""
    facts = params if isinstance(params, dict) else {}
    what = facts.get("command") or facts.get("reason") or facts.get("message") or ""
    words = " ".join(str(what).split())[:200]
    return f"Codex asked for what it may not have here ({method})" + (f": {words}" if words else "")
