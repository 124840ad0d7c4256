"""The real Claude Code with our plugin in it: one conversation, as its user types it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import sideshoot
from support.command import TIME_LIMIT_S, environment
from support.models import DEFAULT, filled, say, tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from support.models import ModelServer, Step

MARKETPLACE = Path(sideshoot.__file__).parent / "plugin" / "claude"
PLUGIN = MARKETPLACE / "sideshoot"

TOOLS = "mcp__plugin_sideshoot_sideshoot__"
REQUEST = r"Its `request` is (\w+)"
"""What the hook tells the model."""


def slash_tool(**arguments: Any) -> Step:
    """The model calls the tool as a slash command of ours says."""
    return filled(tool(f"{TOOLS}slash_command", **arguments), request=REQUEST)


def put_sideshoot_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A `sideshoot` in `folder`, as it would be installed."""
    folder.mkdir()
    program = folder / "sideshoot"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m sideshoot "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return program


class Conversation:
    """One session of Claude Code without a terminal, from its first prompt to its end."""

    def __init__(
        self,
        models: ModelServer,
        folder: Path,
        *options: str,
        env: dict[str, str] | None = None,
    ) -> None:
        self._models = models
        self._process = subprocess.Popen(
            ["claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json",
             "--verbose", "--include-hook-events", *options],
            cwd=folder, env=environment(env or {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def turn(self, prompt: str, *steps: Step) -> list[dict[str, Any]]:
        """Type a prompt, let the model take these steps, and return what happened in the turn."""
        # The server counts the answers of tools from the beginning of the conversation.
        before = [say(DEFAULT)] * len(tool_answers(self.events))
        self._models.unasked = [*before, *steps]
        begun = len(self.events)
        message = {"role": "user", "content": prompt}
        self._send(
            {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": ""}
        )
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._ended or self._has_result(begun), TIME_LIMIT_S
            )
            events = self.events[begun:]
        assert came, f"it hung; it said {events}"
        assert self._has_result(begun), (events, self._errors())
        return events

    def command(self, prompt: str, **arguments: Any) -> str:
        """Type a slash command that the model carries out; returns the tool's whole answer."""
        answers = tool_answers(self.turn(prompt, slash_tool(**arguments)))
        assert len(answers) == 1, answers
        return answers[0]

    @property
    def session(self) -> str:
        """The session's id."""
        return next(str(event["session_id"]) for event in self.events if "session_id" in event)

    @property
    def start(self) -> dict[str, Any]:
        """What Claude Code says of itself."""
        return next(it for it in self.events if it["type"] == "system" and it["subtype"] == "init")

    def end(self) -> str:
        """Hang up; returns what Claude Code wrote to standard error."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(TIME_LIMIT_S) == 0
        return self._errors()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(TIME_LIMIT_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None and not stream.closed:
                stream.close()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _has_result(self, begun: int) -> bool:
        return any(event["type"] == "result" for event in self.events[begun:])

    def _errors(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def tool_answers(events: Sequence[dict[str, Any]]) -> list[str]:
    """What tools answered in a turn, as the model got it."""
    messages = (event["message"] for event in events if event["type"] == "user")
    parts = (part for message in messages for part in message["content"] if isinstance(part, dict))
    return [_text(part["content"]) for part in parts if part["type"] == "tool_result"]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
