"""A session, which is OpenCode's word for a conversation: how one is begun, or gone on with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from sideshoot.agents.opencode.folders import SETTINGS
from sideshoot.agents.opencode.rules import rules_of
from sideshoot.agents.rpc import Refused, RpcFailure
from sideshoot.agents.words import as_unicode, one_line
from sideshoot.errors import AgentUnavailable
from sideshoot.text import show_path

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.base import Stop, Task
    from sideshoot.agents.opencode.client import Client

    Facts = dict[str, Any]

_TITLE_LENGTH = 60


def model_of(task: Task) -> dict[str, str] | None:
    """The task's model as OpenCode takes it; the name of a model may hold further slashes.

    :raises AgentUnavailable: it is not of the form `provider/model`.
    """
    if task.model is None:
        return None
    provider, slash, model = task.model.partition("/")
    if not (provider and slash and model):
        raise AgentUnavailable(
            f"opencode takes a model as provider/model, not {task.model!r};"
            " `opencode models` lists them"
        )
    return {"providerID": provider, "modelID": model}


def check_model(client: Client, model: dict[str, str], stop: Stop) -> None:
    """Make sure that the model is there: one that is not would stick to the session.

    :raises Refused: it is not.
    """
    answer = client.get("/config/providers", stop=stop)
    for provider in (answer or {}).get("providers") or []:
        if provider.get("id") == model["providerID"] and model["modelID"] in provider["models"]:
            return
    name = f"{model['providerID']}/{model['modelID']}"
    raise Refused(
        "model", 404, f"there is no model {name}; `opencode models` lists those there are"
    )


def check_mode(client: Client, mode: str, stop: Stop) -> None:
    """Make sure that OpenCode has a mode, which it calls an agent.

    :raises Refused: it has none of that name.
    """
    answer = client.get("/agent", stop=stop)
    there = [str(it.get("name")) for it in answer or [] if isinstance(it, dict)]
    if there and mode not in there:
        raise Refused("mode", 404, f"there is no mode {mode!r}; there are {', '.join(there)}")


def show_checkout(client: Client, checkout: Path | None, stop: Stop) -> None:
    """Let OpenCode see the user's own tree before a workspace of it.

    It keeps the first folder of a repository that it ever saw as the place of that project. Where
    the project has settings for it, a look is no mere look: it puts a `.gitignore` and packages
    beside them (1.18.33), which is not for us to cause in the user's tree.
    """
    if checkout is None or checkout == client.folder:
        return
    if not (checkout / SETTINGS).is_dir():
        client.call("GET", "/project/current", folder=checkout, stop=stop)


def open_session(client: Client, task: Task, stop: Stop) -> str:
    """Begin the task's session, or go on with the one that it names; its id.

    :raises RpcFailure: OpenCode refuses, or is gone.
    """
    rules = rules_of(task)
    if task.thread_id is None:
        title = one_line(as_unicode(task.prompt))[:_TITLE_LENGTH]
        body = {"title": title, "permission": rules}
        return str(client.call("POST", "/session", body, stop=stop)["id"])
    return _resume(client, task.thread_id, rules, stop)


def _resume(client: Client, thread_id: str, rules: list[dict[str, str]], stop: Stop) -> str:
    # Before all else: asked for anything, OpenCode begins to work in the folder that a session
    # belongs to. That of a workspace that is gone leads it to the settings of the user's own tree.
    _move(client, thread_id, stop)
    session = client.get(f"/session/{thread_id}", stop=stop)
    old_rules = session.get("permission") or [] if isinstance(session, dict) else []
    if old_rules and old_rules != rules:
        # Further rules only add to those of a session: one for reading alone would stay so.
        thread_id = str(client.call("POST", f"/session/{thread_id}/fork", {}, stop=stop)["id"])
    if old_rules != rules:
        body = {"permission": rules}
        client.call("PATCH", f"/session/{thread_id}", body, stop=stop)
    return thread_id


def _move(client: Client, thread_id: str, stop: Stop) -> None:
    """A session works in the folder that it belongs to, whatever folder a request names."""
    body = {"sessionID": thread_id, "destination": {"directory": str(client.folder)}}
    try:
        client.call("POST", "/experimental/control-plane/move-session", body, stop=stop)
    except Refused as refusal:
        if refusal.code not in (400, 404):
            raise
        words = "this conversation is no longer there; start afresh with --fresh"
        raise Refused("resume", refusal.code, words) from None


def forget_session(client: Client, thread_id: str | None) -> None:
    """Delete a session with all that was said in it, as far as it can be done."""
    with contextlib.suppress(RpcFailure):
        client.call("DELETE", f"/session/{thread_id}")


def messages_of(client: Client, thread_id: str, stop: Stop | None = None) -> list[Facts]:
    """All messages of the session, oldest first: `{"info": …, "parts": […]}`."""
    answer = client.get(f"/session/{thread_id}/message", stop=stop)
    return [it for it in answer or [] if isinstance(it, dict) and isinstance(it.get("info"), dict)]


def is_idle(client: Client, thread_id: str, stop: Stop) -> bool:
    """Whether the session is at rest; asked of the folder that it works in."""
    answer = client.get("/session/status", stop=stop)
    status = (answer or {}).get(thread_id)
    return not isinstance(status, dict) or status.get("type") == "idle"


def prompt_of(task: Task, model: dict[str, str] | None) -> Facts:
    """What `prompt_async` takes for the task."""
    texts = [_whereabouts(task), task.prompt] if task.thread_id else [task.prompt]
    body: Facts = {"parts": [{"type": "text", "text": as_unicode(text)} for text in texts]}
    chosen = {"model": model, "variant": task.effort, "agent": task.mode}
    return body | {name: value for name, value in chosen.items() if value}


def _whereabouts(task: Task) -> str:
    """What a model has to know whose memories are of another folder."""
    return (
        f"You now work in {show_path(task.folder)}. This is a checkout of its own (top folder:"
        f" {show_path(task.top)}) of the repository that this conversation is about. Folders that"
        " earlier turns worked in belong to other checkouts and may be gone or out of date: look at"
        " files anew, and neither read nor write in those folders."
    )
