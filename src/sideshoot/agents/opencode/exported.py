"""A conversation in the form in which OpenCode exports its sessions, and imports them."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from sideshoot.agents.conversation import Role

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.conversation import Message
    from sideshoot.agents.transfer import Source

    Facts = dict[str, Any]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Exported:
    """A session in the form that `opencode export` writes."""

    def __init__(self, source: Source, folder: Path, model: dict[str, str]) -> None:
        self.session = _new_id("ses", 0)
        self._title = f"{source.title} session {source.session}"
        self._folder = str(folder)
        self._model = model
        self._now = int(time.time() * 1000)
        self._messages: list[Facts] = []

    def add(self, message: Message) -> None:
        """Add what was said next."""
        name = _new_id("msg", len(self._messages))
        facts: Facts = {
            "id": name,
            "sessionID": self.session,
            "role": message.role.value,
            "agent": "build",
        }
        if message.role is Role.USER:
            facts |= {"time": {"created": self._now}, "model": self._model}
        else:
            facts |= self._of_an_answer()
        part = {"id": _new_id("prt", len(self._messages)), "sessionID": self.session}
        part |= {"messageID": name, "type": "text", "text": message.text}
        self._messages.append({"info": facts, "parts": [part]})

    def form(self) -> Facts:
        """All of it."""
        facts = {
            "id": self.session,
            "slug": self.session,
            "projectID": "global",
            "directory": self._folder,
            "title": self._title,
            "version": "1.0.0",
            "time": {"created": self._now, "updated": self._now},
        }
        return {"info": facts, "messages": self._messages}

    def _of_an_answer(self) -> Facts:
        tokens = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}
        parent = self._messages[-1]["info"]["id"] if self._messages else ""
        return {
            "time": {"created": self._now, "completed": self._now},
            "parentID": parent,
            "mode": "build",
            "path": {"cwd": self._folder, "root": self._folder},
            "cost": 0,
            "tokens": tokens,
            "finish": "stop",
            **self._model,
        }


def _new_id(kind: str, number: int) -> str:
    """An id of OpenCode's: they sort as they were made, and later ones of its own come after."""
    moment = (int(time.time() * 1000) * 0x1000 + number) & 0xFFFF_FFFF_FFFF
    return f"{kind}_{moment:012x}{''.join(secrets.choice(_DIGITS) for _ in range(14))}"
