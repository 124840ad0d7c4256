"""What OpenCode may do in a job, and what it is told when it asks: never silence.

A question without an answer holds the turn for ever. The rules of a session come after those of
the user's configuration, and the last one that fits decides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.agents.rpc import RpcFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.agents.base import Task
    from sideshoot.agents.opencode.client import Client

    Rule = dict[str, str]

_ANSWER_S = 10.0

_FOR_READING = ("read", "grep", "glob", "list", "lsp", "todowrite")

# These would ask a person, or change what other work trees share.
_NEVER = (
    ("question", "*"),
    ("doom_loop", "*"),
    ("plan_enter", "*"),
    ("bash", "git push*"),
    ("bash", "git worktree *"),
)

_SECRETS = (("*.env", "deny"), ("*.env.*", "deny"), ("*.env.example", "allow"))


def rules_of(task: Task) -> list[Rule]:
    """The rules of the task's session.

    Nothing outside of the workspace is read or written by OpenCode's own tools, but for the files
    in which it puts the output of commands that was too long.
    """
    if task.read_only:
        reading = [_rule(name, "*", "allow") for name in _FOR_READING]
        secret = [_rule("read", pattern, action) for pattern, action in _SECRETS]
        return [_rule("*", "*", "deny"), *reading, *secret, *_inside(task.environment)]
    return [*(_rule(name, pattern, "deny") for name, pattern in _NEVER), *_inside(task.environment)]


def answer_permission(client: Client, request: dict[str, Any]) -> str | None:
    """Answer one; what was asked for and refused, in one line, or `None` if it was granted.

    Edits are what the workspace is there for. The rest was to be asked of the user, who is not
    there; a refusal with a reason lets the model go on, one without ends the turn.
    """
    name = str(request.get("permission"))
    granted = name == "edit"
    reply = {"reply": "once"} if granted else {"reply": "reject", "message": _REASON}
    error = _send(client, f"/permission/{request.get('id')}/reply", reply)
    if granted and error is None:
        return None
    words = " ".join(str(pattern) for pattern in request.get("patterns") or [])[:200]
    asked = f"OpenCode asked for what nobody is there to allow ({name})"
    return asked + (f": {words}" if words else "") + (f"; {error}" if error else "")


def answer_question(client: Client, request: dict[str, Any]) -> str:
    """Refuse to answer one; what was asked, in one line."""
    error = _send(client, f"/question/{request.get('id')}/reject", {})
    questions = request.get("questions") or []
    words = " ".join(str(it.get("question")) for it in questions if isinstance(it, dict))[:200]
    return f"OpenCode asked what nobody is there to answer: {words}" + (
        f"; {error}" if error else ""
    )


_REASON = "Nobody is there to allow this. Go on without it, inside of the working directory."


def _send(client: Client, path: str, body: Any) -> str | None:
    try:
        client.call("POST", path, body, timeout_s=_ANSWER_S)
    except RpcFailure as failure:  # somebody answered before us, or the turn is over
        return str(failure)
    return None


def _rule(permission: str, pattern: str, action: str) -> Rule:
    return {"permission": permission, "pattern": pattern, "action": action}


def _inside(environment: Mapping[str, str]) -> list[Rule]:
    output = _data_folder(environment) / "opencode" / "tool-output" / "*"
    return [
        _rule("external_directory", "*", "deny"),
        _rule("external_directory", str(output), "allow"),
    ]


def _data_folder(environment: Mapping[str, str]) -> Path:
    named = environment.get("XDG_DATA_HOME") or os.environ.get("XDG_DATA_HOME")
    return Path(named) if named else Path.home() / ".local" / "share"
