"""Conversations of Claude Code's: found, handed over, and taken."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sideshoot.agents.claude.control import PROGRAM, Conversation, own_environment
from sideshoot.agents.claude.faults import INSTALL
from sideshoot.agents.claude.home import claude_home
from sideshoot.agents.claude.session import STREAMS, file_of, projects
from sideshoot.agents.claude.transcript import read_transcript
from sideshoot.agents.conversation import Role
from sideshoot.agents.rpc import Deaf, RpcFailure
from sideshoot.agents.surroundings import refuse_unnamable
from sideshoot.agents.transfer import Source, Taken, folders_of, note_on_origin
from sideshoot.agents.words import one_line
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.conversation import Conversation as Said
    from sideshoot.agents.conversation import Message

TAKE_S = 60.0
"""For one message to be taken in; no model is asked."""

# Nobody is there: nothing of the user's is to be started by words that were said long ago.
_ALONE = (f"--settings={json.dumps({'disableAllHooks': True})}", "--strict-mcp-config")


_OF_SUBAGENT = "agent-"
"""How transcripts of subagents are called, which some versions keep beside those of sessions."""

_SESSION_VARIABLES = ("SIDESHOOT_SESSION", "CLAUDE_CODE_SESSION_ID")


class ClaudeParty:
    """Gives away what its transcripts hold, and takes a conversation message by message."""

    title = "Claude Code"

    def find(self, session: str | None, folder: Path) -> Source:
        """The session of this id, else the one that we are called from, else the newest of the folder.

        :raises UsageError: there is none of this id.
        :raises CannotStart: there is none.
        """
        if session is not None:
            return _named(session)
        current = next((file for name in _current_sessions() if (file := file_of(name))), None)
        if current is not None:
            return source_of(current)
        for place in folders_of(folder):
            files = list(_transcripts_of(place))
            if files:
                newest = max(files, key=lambda file: file.stat().st_mtime)
                return replace(source_of(newest), newest=True)
        raise CannotStart(
            f"Claude Code has no session of {show_path(folder)} below {show_path(_all_projects())};"
            " name its transcript: --transcript FILE"
        )

    def read(self, source: Source) -> Said:
        """What was said in the session.

        :raises CannotStart: its transcript can't be read.
        """
        assert source.file is not None
        return read_transcript(source.file)

    def take(self, conversation: Said, source: Source, folder: Path) -> Taken:
        """Begin a session with all that was said, each message as the one who said it.

        :raises CannotStart: Claude Code is not there, or does not take it.
        """
        refuse_unnamable("claude", folder)
        if shutil.which(PROGRAM) is None:
            raise AgentUnavailable(f"claude is not installed; run `{INSTALL}`")
        ears = _Ears()
        argv, environment = [PROGRAM, *STREAMS, *_ALONE], own_environment()
        with Conversation.launch(argv, ears, folder=folder, environment=environment) as claude:
            try:
                claude.initialize()
                for message in conversation.messages:
                    _tell(claude, ears, message, source)
                # What the agent said is written down only when there is something after it.
                session = _say(claude, ears, note_on_origin(conversation, source))
                claude.close()
            except RpcFailure as failure:
                raise CannotStart(
                    one_line(f"Claude Code does not take the conversation: {failure}")
                ) from None
        return Taken(self.title, session, ("claude", "--resume", session))


def source_of(file: Path) -> Source:
    """The session that a transcript is of."""
    return Source(ClaudeParty.title, file.stem, file)


def _named(session: str) -> Source:
    file = file_of(session)
    if file is None:
        raise UsageError(
            f"Claude Code has no session {session!r} below {show_path(_all_projects())};"
            " name another, or its transcript: --transcript FILE"
        )
    return source_of(file)


def _current_sessions() -> list[str]:
    """What is set in a session: by our hook at its start, and by Claude Code for what it runs."""
    return [name for it in _SESSION_VARIABLES if (name := os.environ.get(it))]


class _Ears(Deaf):
    """Hears when a message was taken in."""

    def __init__(self) -> None:
        self.results: SimpleQueue[dict[str, Any] | None] = SimpleQueue()

    def on_notice(self, method: str, params: Any) -> None:
        if method == "result" and isinstance(params, dict):
            self.results.put(params)

    def on_end(self, failure: BaseException | None) -> None:  # noqa: ARG002 - as every handler's
        self.results.put(None)


def _tell(claude: Conversation, ears: _Ears, message: Message, source: Source) -> None:
    if message.role is Role.USER:
        # Of several parts the last alone is looked at for commands (`/clear`) and files (`@name`).
        _say(claude, ears, message.text, f"(said to {source.title})")
    else:
        claude.put(_as_answer(message.text))


def _say(claude: Conversation, ears: _Ears, *parts: str) -> str:
    """Let the user have said something; the id of the session.

    :raises RpcFailure: it was not taken in.
    """
    content = [{"type": "text", "text": part} for part in parts]
    claude.put(_entry("user", {"role": "user", "content": content}) | {"shouldQuery": False})
    try:
        result = ears.results.get(timeout=TAKE_S)
    except Empty:
        raise RpcFailure(f"no answer within {TAKE_S:.0f} seconds") from None
    if result is None:
        raise RpcFailure(claude.obituary())
    if result.get("is_error") or not isinstance(result.get("session_id"), str):
        raise RpcFailure(str(result.get("result") or result.get("subtype")))
    if result.get("num_turns"):
        raise RpcFailure(f"this version asks its model at once; run `{INSTALL}`")
    return str(result["session_id"])


def _as_answer(text: str) -> dict[str, Any]:
    # Without all of these fields it could not go on with the session (2.1.197).
    nothing = ("input_tokens", "output_tokens", "cache_creation_input_tokens")
    usage = dict.fromkeys((*nothing, "cache_read_input_tokens"), 0)
    message = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": "<synthetic>",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    return _entry("assistant", message)


def _entry(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    # What has no id of its own can't be followed by anything.
    facts = {"parent_tool_use_id": None, "session_id": "", "uuid": str(uuid.uuid4())}
    return {"type": kind, "message": message, **facts}


def _all_projects() -> Path:
    return claude_home() / "projects"


def _transcripts_of(folder: Path) -> list[Path]:
    """The transcripts of the sessions that began in a folder.

    Their folder is named after it: all that is no letter or digit becomes `-`. Of a very long name
    only the beginning is left.
    """
    name = re.sub(r"[^a-zA-Z0-9]", "-", os.fspath(folder))
    named = [it for it in projects() if it.name == name or it.name.startswith(name[:200] + "-")]
    exact = [it for it in named if it.name == name] or (named if len(name) > 200 else [])
    files = [file for project in exact for file in project.glob("*.jsonl") if file.is_file()]
    return [file for file in files if not file.name.startswith(_OF_SUBAGENT)]
