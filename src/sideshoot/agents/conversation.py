"""A conversation as one agent had it and another can take it over: who said what, as text."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sideshoot.agents.words import as_unicode
from sideshoot.errors import CannotStart

MOST_CHARACTERS = 400_000
"""Of a conversation: about 100,000 tokens, which leaves a model room to go on."""
MOST_OF_A_MESSAGE = 60_000
MOST_OF_A_TOOL = 4_000
"""Of what a tool was given, or of what it answered."""


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    """The agent; what its tools answered is told by it, too."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said at one time."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, oldest first; the two sides take turns."""

    messages: tuple[Message, ...]
    left_out: int = 0
    """How many entries before them had no room."""
    whole: bool = True
    """Whether it holds all that its source does: nothing left out, cut, unreadable, or gone back on."""


class Gathering:
    """Gathers a conversation from its end on, as far as it has room; the rest is only counted."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._room = most
        self._newest_first: list[Message] = []
        self._left_out = 0
        self.whole = True

    @property
    def full(self) -> bool:
        return self._room <= 0

    def put_before(self, messages: list[Message]) -> None:
        """Put what was said before all that is there; oldest first."""
        for message in reversed([it for it in messages if it.text.strip()]):
            self._put(message)

    def leave_out(self, count: int) -> None:
        """Count what is not even looked at."""
        self._left_out += count

    def conversation(self, source: str) -> Conversation:
        """What was gathered, what one side said in a row as one message.

        :param source: what it was gathered from, in words.
        :raises CannotStart: nothing was said there.
        """
        if not self._newest_first:
            raise CannotStart(f"{source} holds no conversation")
        in_a_row = itertools.groupby(reversed(self._newest_first), lambda message: message.role)
        messages = tuple(
            Message(role, "\n\n".join(message.text for message in each)) for role, each in in_a_row
        )
        if messages[0].role is Role.ASSISTANT:  # models want the user to begin
            messages = (user("[what was said before is left out]"), *messages)
        return Conversation(messages, self._left_out, self.whole and not self._left_out)

    def _put(self, message: Message) -> None:
        if self.full:
            self._left_out += 1
            return
        text = shortened(as_unicode(message.text), MOST_OF_A_MESSAGE)
        self.whole = self.whole and text == message.text
        self._room -= len(text)
        self._newest_first.append(Message(message.role, text))


def user(text: str) -> Message:
    return Message(Role.USER, text)


def assistant(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def tool_call(name: str, given: Any) -> Message:
    """That a tool was called, and with what."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return assistant(f"[tool {name}]\n{shortened(text, MOST_OF_A_TOOL)}")


def tool_answer(text: str) -> Message:
    """What a tool answered."""
    return assistant(f"[tool answered]\n{shortened(text, MOST_OF_A_TOOL)}")


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a text, where all of it would be too long."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
