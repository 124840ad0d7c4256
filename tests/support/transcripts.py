"""Transcripts as Claude Code writes them (2.1.197), made for what a real session rarely holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Transcript:
    """Entries that each follow on the one before, unless they say otherwise."""

    lines: list[bytes] = field(default_factory=list)
    last: str | None = None

    def user(self, content: Any, **facts: Any) -> str:
        """What the user said, or a tool answered; the entry's name."""
        return self._add("user", {"role": "user", "content": content}, facts)

    def assistant(self, content: Any, **facts: Any) -> str:
        """What the model said or called; the entry's name."""
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        return self._add("assistant", {"role": "assistant", "content": blocks}, facts)

    def called(self, tool: str, number: str, **given: Any) -> str:
        """The model called a tool."""
        return self.assistant([{"type": "tool_use", "id": number, "name": tool, "input": given}])

    def answered(self, number: str, content: Any, **facts: Any) -> str:
        """A tool answered."""
        block = {"type": "tool_result", "tool_use_id": number, "content": content}
        return self.user([block], **facts)

    def compacted(self, summary: str) -> None:
        """All before was replaced by a summary."""
        logical = self.last
        self.entry("system", subtype="compact_boundary", parentUuid=None, logicalParentUuid=logical)
        self.user(summary, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    def entry(self, kind: str, **facts: Any) -> str:
        """Any entry."""
        return self._add(kind, None, facts)

    def raw(self, line: bytes) -> None:
        """A line as it is."""
        self.lines.append(line)

    def write(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(self.lines))
        return file

    def _add(self, kind: str, message: Any, facts: dict[str, Any]) -> str:
        name = f"entry-{len(self.lines)}"
        entry = {"parentUuid": self.last, "isSidechain": False, "type": kind, "uuid": name}
        entry |= {"cwd": "/", "sessionId": "s", "timestamp": "2026-11-25T12:00:00.000Z"}
        entry |= {"message": message} if message else {}
        entry |= facts
        if not entry["isSidechain"]:
            self.last = name
        self.lines.append(json.dumps(entry).encode() + b"\n")
        return name
