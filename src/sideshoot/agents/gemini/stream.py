"""A running `gemini -o stream-json`: it reads the task, then tells what it does, and ends."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from sideshoot.agents.process import POLITE
from sideshoot.agents.program import Program
from sideshoot.agents.rpc import Peer, decode_object

if TYPE_CHECKING:
    from sideshoot.agents.base import Task

PROGRAM = "gemini"

SETTINGS = {
    # Its launcher would start it once more, and hand no signal on to what it started.
    "GEMINI_CLI_NO_RELAUNCH": "true",
    # Without somebody to ask it works in no folder that it was not told to trust.
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
}


class EventPeer(Peer):
    """Reads events; its `type` is the method of a notice, and all of it the parameters."""

    def feed(self, text: str) -> None:
        """Hand over all of its standard input."""
        self._outgoing.put(text.encode("utf-8", "surrogateescape"))
        self.hang_up()

    def _take(self, line: bytes) -> None:
        event = decode_object(line)
        kind = event.get("type") if event else None
        if event is None or not isinstance(kind, str):
            self._hear_noise(line)
        else:
            self._handler.on_notice(kind, event)


class Run(Program):
    """`gemini` at work on one task."""

    name = "gemini"
    speaks = EventPeer

    def feed(self, prompt: str) -> None:
        """Hand over the task."""
        assert isinstance(self._peer, EventPeer)
        self._peer.feed(prompt)

    def stop(self) -> None:
        """End it, and what it runs; it knows no way to be asked but a signal."""
        self.tree.end(POLITE)

    def await_end(self) -> int | None:
        """Its exit status, once it has ended; `None` if it does not within the patience."""
        try:
            return self.tree.process.wait(self.patience_s)
        except subprocess.TimeoutExpired:
            return None


def command_of(task: Task, session_file: str | None) -> list[str]:
    """The argument list for a task. Values are joined to their options: they may begin with `-`.

    In its default mode a Gemini CLI without a terminal has no tool that writes or runs anything.
    """
    mode = "default" if task.read_only else "yolo"
    command = [PROGRAM, "--output-format=stream-json", f"--approval-mode={mode}"]
    if task.top != task.folder:
        command.append(f"--include-directories={task.top}")
    if task.model:
        command.append(f"--model={task.model}")
    if session_file:
        command.append(f"--session-file={session_file}")
    return command
