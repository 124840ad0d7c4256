"""Conversations of Codex's: found, handed over, and taken."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.agents.codex.faults import INSTALL
from sideshoot.agents.codex.history import items_backwards, said
from sideshoot.agents.codex.importing import Ears, imported
from sideshoot.agents.codex.server import PROGRAM, Server
from sideshoot.agents.codex.thread import START_S
from sideshoot.agents.conversation import Gathering, Message, Role, user
from sideshoot.agents.rpc import METHOD_NOT_FOUND, Refused, RpcFailure
from sideshoot.agents.surroundings import refuse_unnamable
from sideshoot.agents.transfer import Source, Taken, folders_of, note_on_origin
from sideshoot.agents.words import one_line
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.agents.conversation import Conversation

    Facts = dict[str, Any]


class CodexParty:
    """Gives away its threads; takes transcripts of Claude Code's by an import of its own."""

    title = "Codex"

    def find(self, session: str | None, folder: Path) -> Source:
        """The thread of this id, else the one that this process was started from, else the newest.

        :raises UsageError: there is none of this id.
        :raises CannotStart: there is none, or Codex can't be asked.
        """
        refuse_unnamable("codex", folder)
        named = session or os.environ.get("CODEX_THREAD_ID")
        with _server(folder) as server:
            if named:
                parameters = {"threadId": named, "includeTurns": False}
                try:
                    server.call("thread/read", parameters)
                except Refused:
                    raise UsageError(f"Codex has no thread {named!r}; name another") from None
                return Source(self.title, named)
            for place in folders_of(folder):
                parameters = {"cwd": str(place), "limit": 1, "sortKey": "updated_at"}
                threads = server.call("thread/list", parameters).get("data") or []
                if threads:
                    return Source(self.title, str(threads[0]["id"]), newest=True)
        raise CannotStart(
            f"Codex has no thread of {show_path(folder)}; name one of elsewhere: --session ID"
        )

    def read(self, source: Source) -> Conversation:
        """What was said in the thread, from its end on as far as there is room.

        :raises CannotStart: Codex can't be asked.
        """
        gathering = Gathering()
        with _server(Path.home()) as server:
            for item in items_backwards(server, source.session):
                gathering.put_before(said(item))
        return gathering.conversation(f"Codex's thread {source.session}")

    def take(self, conversation: Conversation, source: Source, folder: Path) -> Taken:
        """Have it imported by Codex, or begin a thread that knows all that was said.

        Codex imports transcripts as they are: with what the user went back on, and all that was
        said before a compaction. Where that is more than the conversation, it gets that instead.

        :raises CannotStart: Codex is not there, or does not take it.
        """
        refuse_unnamable("codex", folder)
        ears = Ears()
        with _server(folder, ears) as server:
            if source.file is not None and conversation.whole:
                done = imported(server, ears, source.file, folder)
                if done is not None:
                    return _as_taken(done.thread_id, before=done.before)
            return _begun(server, conversation, source, folder)


@contextlib.contextmanager
def _server(folder: Path, ears: Ears | None = None) -> Iterator[Server]:
    """Codex, to be asked; what it can't do is why nothing begins."""
    if shutil.which(PROGRAM) is None:
        raise AgentUnavailable(f"codex is not installed; run `{INSTALL}`")
    with Server.start(ears or Ears(), folder=folder, environment=os.environ) as server:
        try:
            server.initialize()
            yield server
            server.close()
        except RpcFailure as failure:
            raise CannotStart(one_line(f"Codex can't do this: {failure}")) from None


def _begun(server: Server, conversation: Conversation, source: Source, folder: Path) -> Taken:
    """A thread that begins with what was said; nothing of it is on its screen."""
    opened = server.call("thread/start", {"cwd": str(folder)}, timeout_s=START_S)
    thread_id = str(opened["thread"]["id"])
    note = _as_item(user(note_on_origin(conversation, source)))
    items = [*(_as_item(message) for message in conversation.messages), note]
    parameters = {"threadId": thread_id, "items": items}
    try:
        server.call("thread/inject_items", parameters, timeout_s=START_S)
    except Refused as refusal:
        if refusal.code != METHOD_NOT_FOUND and "unknown variant" not in refusal.message:
            raise
        raise CannotStart(f"this Codex can't take a conversation; run `{INSTALL}`") from None
    name = f"{source.title} session {source.session}"
    with contextlib.suppress(Refused):
        server.call("thread/name/set", {"threadId": thread_id, "name": name})
    return _as_taken(thread_id, shown=False)


def _as_item(message: Message) -> Facts:
    """As an item of OpenAI's Responses API."""
    kind = "input_text" if message.role is Role.USER else "output_text"
    content = [{"type": kind, "text": message.text}]
    return {"type": "message", "role": message.role.value, "content": content}


def _as_taken(thread_id: str, *, shown: bool = True, before: bool = False) -> Taken:
    return Taken(
        CodexParty.title, thread_id, ("codex", "resume", thread_id), shown=shown, before=before
    )
