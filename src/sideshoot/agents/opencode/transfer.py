"""Conversations of OpenCode's: found, handed over, and taken."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.agents.conversation import Gathering, assistant, tool_answer, tool_call, user
from sideshoot.agents.opencode.exported import Exported
from sideshoot.agents.opencode.faults import INSTALL
from sideshoot.agents.opencode.server import PROGRAM, Server, command
from sideshoot.agents.opencode.session import messages_of
from sideshoot.agents.rpc import Refused, RpcFailure
from sideshoot.agents.surroundings import refuse_unnamable
from sideshoot.agents.transfer import Source, Taken, note_on_origin
from sideshoot.agents.words import one_line, why_silent
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.agents.conversation import Conversation, Message
    from sideshoot.agents.opencode.client import Client

    Facts = dict[str, Any]

IMPORT_S = 120.0


class OpenCodeParty:
    """Gives away its sessions, and takes a conversation by `opencode import`."""

    title = "OpenCode"

    def find(self, session: str | None, folder: Path) -> Source:
        """The session of this id, or the newest of this folder's project.

        :raises UsageError: there is none of this id.
        :raises CannotStart: there is none, or OpenCode can't be asked.
        """
        with _client(folder) as client:
            if session is not None:
                return _named(client, session)
            sessions = [it for it in client.get("/session") or [] if not it.get("parentID")]
        if not sessions:
            raise CannotStart(
                f"OpenCode has no session of {show_path(folder)}; name one of elsewhere: --session ID"
            )
        newest = max(sessions, key=lambda it: it.get("time", {}).get("updated", 0))
        return Source(self.title, str(newest["id"]), newest=True)

    def read(self, source: Source) -> Conversation:
        """What was said in the session.

        :raises CannotStart: OpenCode can't be asked.
        """
        gathering = Gathering()
        with _client(Path.home()) as client:
            for message in reversed(messages_of(client, source.session)):
                gathering.put_before(_said(message))
        return gathering.conversation(f"OpenCode's session {source.session}")

    def take(self, conversation: Conversation, source: Source, folder: Path) -> Taken:
        """Import it as a session of this folder's.

        :raises CannotStart: OpenCode is not there, or does not take it.
        """
        refuse_unnamable("opencode", folder)
        with _client(folder) as client:
            model = _default_model(client)
        exported = Exported(source, folder, model)
        for message in conversation.messages:
            exported.add(message)
        exported.add(user(note_on_origin(conversation, source)))
        _import(exported.form(), folder)
        return Taken(self.title, exported.session, ("opencode", "--session", exported.session))


@contextlib.contextmanager
def _client(folder: Path) -> Iterator[Client]:
    """OpenCode, to be asked; what it can't do is why nothing begins."""
    _refuse_missing()
    with Server.start(command(), folder=folder, environment=os.environ) as server:
        try:
            yield server.connect(folder)
        except RpcFailure as failure:
            raise CannotStart(one_line(f"OpenCode can't do this: {failure}")) from None
        server.close()


def _refuse_missing() -> None:
    if shutil.which(PROGRAM) is None:
        raise AgentUnavailable(f"opencode is not installed; run `{INSTALL}`")


def _named(client: Client, session: str) -> Source:
    if session.replace("_", "").isalnum():
        with contextlib.suppress(Refused):
            return Source(OpenCodeParty.title, str(client.get(f"/session/{session}")["id"]))
    raise UsageError(f"OpenCode has no session {session!r}; name another")


def _default_model(client: Client) -> dict[str, str]:
    """The model that goes on with it: every message has to name one.

    :raises CannotStart: there is none.
    """
    provider, slash, model = str((client.get("/config") or {}).get("model") or "").partition("/")
    if slash:
        return {"providerID": provider, "modelID": model}
    answer = client.get("/config/providers") or {}
    for provider, model in (answer.get("default") or {}).items():
        return {"providerID": provider, "modelID": model}
    raise CannotStart("OpenCode has no provider that is set up; run `opencode auth login`")


def _import(form: Facts, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sideshoot-") as scratch:
        file = Path(scratch) / "session.json"
        file.write_text(json.dumps(form))
        try:
            done = subprocess.run(
                [PROGRAM, "import", str(file)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=IMPORT_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotStart(f"`opencode import` failed: {why_silent(error)}") from None
    session = form["info"]["id"]
    if done.returncode != 0 or session.encode() not in done.stdout:
        said = (done.stderr or done.stdout).decode(errors="replace")
        raise CannotStart(one_line(f"`opencode import` does not take the conversation: {said}"))


def _said(message: Facts) -> list[Message]:
    speak = user if message["info"].get("role") == "user" else assistant
    told: list[Message] = []
    for part in message.get("parts") or []:
        match part.get("type"):
            case "text" if not part.get("synthetic") and not part.get("ignored"):
                told.append(speak(str(part.get("text") or "")))
            case "tool":
                told += _used(str(part.get("tool")), part.get("state") or {})
            case "file":
                told.append(speak(f"[file {part.get('filename') or ''}, left out]"))
    return told


def _used(name: str, state: Facts) -> list[Message]:
    answer = state.get("output") or state.get("error")
    return [
        tool_call(name, state.get("input") or {}),
        *([tool_answer(str(answer))] if answer else []),
    ]
