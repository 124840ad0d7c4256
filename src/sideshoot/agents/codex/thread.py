"""A thread, which is Codex's word for a conversation: how one is begun, or gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.codex.temporary import SHARED_TEMPORARY
from sideshoot.agents.rpc import Refused
from sideshoot.agents.words import as_unicode
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.agents.base import Stop, Task
    from sideshoot.agents.codex.server import Server

START_S = 120.0
"""For calls during which Codex may start tool servers."""

# Right after a thread's first turn its file may still be empty, and the process that wrote it may
# just be on its way out.
_NOT_YET = ("is empty", "list_turns is not supported", "already has an active writer")
_RESUME_TRIES = 20
_RESUME_PAUSE_S = 0.1


def open_thread(server: Server, task: Task, stop: Stop) -> dict[str, Any]:
    """Begin the task's thread, or go on with the one that it names; what Codex says of it.

    :raises RpcFailure: Codex refuses, or is gone.
    """
    parameters: dict[str, Any] = {
        "cwd": str(task.folder),
        "approvalPolicy": "never",
        "sandbox": "read-only" if task.read_only else "workspace-write",
    }
    if task.model:
        parameters["model"] = task.model
    if task.ephemeral:
        parameters["ephemeral"] = True
    if task.reviewer:
        parameters |= _for_reviewer(task)
    if task.thread_id is None:
        return server.call("thread/start", parameters, timeout_s=START_S, stop=stop)
    parameters |= {"threadId": task.thread_id, "excludeTurns": True}
    return _resume(server, parameters, stop)


def _resume(server: Server, parameters: dict[str, Any], stop: Stop) -> dict[str, Any]:
    tries = 1
    while True:
        try:
            return server.call("thread/resume", parameters, timeout_s=START_S, stop=stop)
        except Refused as refusal:
            passing = any(words in refusal.message for words in _NOT_YET)
            if not passing or tries == _RESUME_TRIES:
                raise Refused("thread/resume", refusal.code, _why_not_resumed(refusal)) from None
        tries += 1
        stop.wait(_RESUME_PAUSE_S)


def _why_not_resumed(refusal: Refused) -> str:
    if "no rollout" in refusal.message:
        return "this conversation is no longer there; start afresh with --fresh"
    if "active writer" in refusal.message:
        return "another Codex has this conversation open; end it there first"
    return refusal.message


def _whereabouts(task: Task) -> str:
    """What a model has to know whose memories are of another folder.

    It is told beside the task: Codex 0.169 takes `developerInstructions` when it resumes a thread,
    but does not hand them to the model.
    """
    return (
        f"You now work in {show_path(task.folder)}. This is a checkout of its own (top folder:"
        f" {show_path(task.top)}) of the repository that this conversation is about. Folders that"
        " earlier turns worked in belong to other checkouts and may be gone or out of date: look at"
        " files anew, and neither read nor write in those folders."
    )


def _for_reviewer(task: Task) -> dict[str, Any]:
    """What a turn takes otherwise, and the raw items: the reviewer's own answer is nowhere else."""
    effort = {"config": {"model_reasoning_effort": task.effort}} if task.effort else {}
    return {"experimentalRawEvents": True, **effort}


def beginning_of_turn(task: Task, thread_id: str, sandbox: Any) -> tuple[str, dict[str, Any]]:
    """The call that begins the task's turn, and its parameters.

    :param sandbox: the policy that Codex made of the user's configuration.
    """
    if task.reviewer:
        return "review/start", {"threadId": thread_id, "target": dict(task.reviewer)}
    return "turn/start", _turn_parameters(task, thread_id, sandbox)


def _turn_parameters(task: Task, thread_id: str, sandbox: Any) -> dict[str, Any]:
    texts = [_whereabouts(task), task.prompt] if task.thread_id else [task.prompt]
    parameters: dict[str, Any] = {
        "threadId": thread_id,
        "input": [
            {"type": "text", "text": as_unicode(text), "text_elements": []} for text in texts
        ],
        "cwd": str(task.folder),
        "approvalPolicy": "never",
        "sandboxPolicy": _sandbox_policy(task, sandbox),
    }
    chosen = {"model": task.model, "effort": task.effort, "outputSchema": task.output_schema}
    return parameters | {name: value for name, value in chosen.items() if value}


def _sandbox_policy(task: Task, configured: Any) -> dict[str, Any]:
    """The configured policy for network and temporary files, with the folders of this task alone.

    Folders that the user has opened to Codex elsewhere may well hold the user's own tree.
    """
    if task.read_only:
        return {"type": "readOnly", "networkAccess": False}
    policy = {
        "type": "workspaceWrite",
        "networkAccess": False,
        "excludeTmpdirEnvVar": False,
        "excludeSlashTmp": False,
    }
    if isinstance(configured, dict) and configured.get("type") == policy["type"]:
        policy |= configured
    if task.fence is None and task.top.is_relative_to(SHARED_TEMPORARY):
        policy["excludeSlashTmp"] = True
    return policy | {"writableRoots": [str(folder) for folder in (task.top, *task.writable)]}
