"""The transcript that Claude Code keeps of a session, read as a conversation.

One JSON object a line, appended as things happen, so that a session that is going on ends in the
middle of one. Each entry names the one before it: where the user went back, the file still holds
what they went back on, beside what came instead. The form is Claude Code's own and not documented;
what is not known is passed over (2.1.197).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from sideshoot.agents.conversation import (
    Conversation,
    Gathering,
    Message,
    assistant,
    tool_answer,
    tool_call,
    user,
)
from sideshoot.errors import CannotStart
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Entry = dict[str, Any]

LONGEST_LINE = 32 * 1024 * 1024


def read_transcript(file: Path) -> Conversation:
    """What was said in the session, from its last compaction on.

    Of what subagents said among themselves, nothing; of pictures, that there was one. The file is
    gone through twice, so that memory is needed for what is taken alone.

    :raises CannotStart: it can't be read, or holds no conversation.
    """
    try:
        if not file.is_file():  # a pipe would be waited for
            raise CannotStart(f"there is no file {show_path(file)}")
        with file.open("rb") as lines:
            return _gathered(lines, _Outline.of(lines)).conversation(show_path(file))
    except OSError as error:
        raise CannotStart(f"can't read {show_path(file)}: {error.strerror}") from None


@dataclass
class _Outline:
    """Where the entries of a transcript lie, and which follows on which."""

    places: dict[str, int] = field(default_factory=dict)
    """Where each entry begins, in bytes."""
    before: dict[str, str] = field(default_factory=dict)
    """The entry before each one; what has none begins a conversation, or one after a compaction."""
    previous: dict[str, str | None] = field(default_factory=dict)
    """The entry in the line above each one, which need not be the one before it."""
    answers: dict[str, list[str]] = field(default_factory=dict)
    """The answers of tools to each call: of several at once only one is gone on from."""
    spoken: set[str] = field(default_factory=set)
    """The entries that somebody said."""
    last: str | None = None
    """The newest of them."""
    noted: str | None = None
    """The newest entry of all."""
    readable: bool = True

    @classmethod
    def of(cls, lines: IO[bytes]) -> _Outline:
        outline = cls()
        for place, line in _lines(lines):
            entry = _decoded(line)
            if entry is None:
                unfinished = not line.endswith(b"\n") and len(line) < LONGEST_LINE
                outline.readable = outline.readable and unfinished
            else:
                outline._note(place, entry)
        return outline

    def taken(self) -> set[str]:
        """The entries of the conversation, as it stands now."""
        chosen: set[str] = set()
        name = self.last
        while name is not None and name not in chosen:
            chosen.add(name)
            chosen.update(self.answers.get(name, ()))
            name = self._one_before(name)
        return chosen

    def _note(self, place: int, entry: Entry) -> None:
        name, before = entry.get("uuid"), entry.get("parentUuid")
        if not isinstance(name, str) or entry.get("isSidechain") is True:
            return
        self.places[name] = place
        self.previous[name], self.noted = self.noted, name
        if isinstance(before, str):
            self.before[name] = before
            if _answers(entry):
                self.answers.setdefault(before, []).append(name)
        if entry.get("type") in ("user", "assistant"):
            self.spoken.add(name)
            self.last = name

    def _one_before(self, name: str) -> str | None:
        before = self.before.get(name)
        if before is None or before in self.places:
            return before
        return self.previous[name]  # its line can't be read: that is the best guess


def _gathered(lines: IO[bytes], outline: _Outline) -> Gathering:
    gathering = Gathering()
    taken = outline.taken()
    gathering.whole = outline.readable and outline.spoken <= taken
    places = sorted(outline.places[name] for name in taken & outline.spoken)
    for number in range(len(places) - 1, -1, -1):
        if gathering.full:
            gathering.leave_out(number + 1)
            break
        lines.seek(places[number])
        gathering.put_before(_said(_decoded(lines.readline(LONGEST_LINE)) or {}))
    return gathering


def _lines(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line and where it begins; of one that is too long only its beginning, which is no JSON."""
    place = 0
    while line := lines.readline(LONGEST_LINE):
        yield place, line
        rest = line
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = lines.readline(LONGEST_LINE)
        place = lines.tell()


def _decoded(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _said(entry: Entry) -> list[Message]:
    kind, message = entry.get("type"), entry.get("message")
    hidden = entry.get("isMeta") is True or entry.get("isApiErrorMessage") is True
    if kind not in ("user", "assistant") or not isinstance(message, dict) or hidden:
        return []
    speak = user if kind == "user" else assistant
    content = message.get("content")
    if isinstance(content, str):
        return [speak(content)]
    told: list[Message] = []
    for block in _blocks(content):
        match block.get("type"):
            case "text":
                told.append(speak(str(block.get("text") or "")))
            case "tool_use":
                told.append(tool_call(str(block.get("name")), block.get("input")))
            case "tool_result":
                told.append(tool_answer(_text_of(block.get("content"))))
            case "image" | "document" as what:
                told.append(speak(f"[{what}, left out]"))
    return told


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [
        str(block.get("text") or "") if block.get("type") == "text" else f"[{block.get('type')}]"
        for block in _blocks(content)
    ]
    return "\n".join(parts)


def _answers(entry: Entry) -> bool:
    message = entry.get("message")
    blocks = _blocks(message.get("content") if isinstance(message, dict) else None)
    return any(block.get("type") == "tool_result" for block in blocks)


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [it for it in content if isinstance(it, dict)] if isinstance(content, list) else []
