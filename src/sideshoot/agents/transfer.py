"""Hand a conversation from one agent to another: who can give one away, and who can take one."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.agents.conversation import Conversation

PARTIES = {
    "claude": "sideshoot.agents.claude.transfer:ClaudeParty",
    "codex": "sideshoot.agents.codex.transfer:CodexParty",
    "opencode": "sideshoot.agents.opencode.transfer:OpenCodeParty",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A conversation that an agent had."""

    title: str
    """What people call the agent."""
    session: str
    """The agent's own name for the conversation."""
    file: Path | None = None
    """Where the agent keeps it, if it is a file of that conversation alone."""
    newest: bool = False
    """Whether nobody named it, and it is the newest of the folder."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A conversation that an agent has taken over."""

    title: str
    """What people call the agent."""
    thread_id: str
    resume: tuple[str, ...]
    """The command that goes on with it, run in the folder that it was taken over in."""
    shown: bool = True
    """Whether the agent shows what was said so far; its model knows it in any case."""
    before: bool = False
    """Whether it was taken over by an earlier transfer, and nothing was said since."""


class Party(Protocol):
    """An agent that conversations can be had from and handed to. No request goes to a model."""

    title: str

    def find(self, session: str | None, folder: Path) -> Source:
        """The conversation that is named, or else the newest of this folder.

        :raises UsageError: there is none of this name.
        :raises CannotStart: there is none, or the agent is not there to be asked.
        """

    def read(self, source: Source) -> Conversation:
        """What was said. Nothing of the source is changed.

        :raises CannotStart: it can't be read.
        """

    def take(self, conversation: Conversation, source: Source, folder: Path) -> Taken:
        """Begin a conversation of its own with all that was said.

        :raises CannotStart: the agent can't take it over.
        """


def party_named(name: str) -> Party:
    """The agent of this name.

    :raises AgentUnavailable: conversations can't be handed to it, or had from it.
    """
    place = PARTIES.get(name)
    if place is None:
        raise AgentUnavailable(
            f"{name} has no way to hand a conversation over or to take one; these have:"
            f" {', '.join(PARTIES)}"
        )
    module, _, attribute = place.partition(":")
    return cast("Party", getattr(importlib.import_module(module), attribute)())


def folders_of(folder: Path) -> Iterator[Path]:
    """Where a conversation of this folder may have begun: there, or above it in the same checkout."""
    place = folder.resolve()
    checkout = next((it for it in (place, *place.parents) if os.path.lexists(it / ".git")), place)
    for candidate in (place, *place.parents):
        yield candidate
        if candidate == checkout:
            return


def note_on_origin(conversation: Conversation, source: Source) -> str:
    """What a model is told of a conversation that was not its own."""
    note = f"The conversation so far was held with {source.title}, and is handed over to you."
    if conversation.left_out:
        note += f" Its {conversation.left_out} oldest entries are left out."
    return (
        f"{note} Tools that it mentions were {source.title}'s; look at files anew before you go on."
    )
