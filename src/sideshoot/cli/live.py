"""Progress of a running job: a line at the bottom of a terminal, or plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, Self

from sideshoot.cli import output
from sideshoot.cli.columns import cut, terminal_columns
from sideshoot.cli.durations import show_duration
from sideshoot.cli.storylines import is_answer, output_bytes, story_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType


class Story(Protocol):
    """Something that tells of events while they happen."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def tell(self, kind: str, data: Mapping[str, Any]) -> None: ...

    def end(self, message: str | None) -> None:
        """Tell what is left, but for `message`, which will be shown as the result."""


def story_of(agent: str, *, is_command: bool, quiet_stdout: bool, is_review: bool = False) -> Story:
    """The right way to tell of a job here.

    :param is_command: what it prints is passed through as it is.
    :param is_review: an answer for programs is no part of it.
    :param quiet_stdout: nothing but the end result may go to standard output.
    """
    if is_command:
        return PassedThrough(all_to_stderr=quiet_stdout)
    if output.is_terminal(sys.stderr):
        return BottomLine(agent, is_review=is_review)
    return PlainLines(is_review=is_review)


class WhileHeard:
    """A story that ends when nobody can hear it, and nothing else with it: a terminal that is gone."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._is_heard = True

    def __enter__(self) -> Self:
        self._try(self._story.__enter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._try(self._story.__exit__, kind, error, trace)

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        self._try(self._story.tell, kind, data)

    def end(self, message: str | None) -> None:
        self._try(self._story.end, message)

    def _try(self, call: Callable[..., object], *words: object) -> None:
        if self._is_heard:
            try:
                call(*words)
            except (OSError, output.ReaderGone):
                self._is_heard = False


class PlainLines:
    """A line for each thing that happens.

    A message is held back until something else happens: the last one is the result, and agents do
    not always say which one that is.
    """

    def __init__(self, *, is_review: bool = False) -> None:
        self._is_review = is_review
        self._held: str | None = None
        self._edited: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        if self._is_review and is_answer(kind, data):
            return
        lines = story_lines(kind, data)
        if kind == "file_change":
            # It is told once, though agents report its beginning and its end.
            lines, self._edited = ([] if lines == self._edited else lines), lines
        if lines:
            self._release()
        if kind == "message":
            self._held = str(data.get("text") or "")
        elif lines:
            self.show(kind, lines)

    def end(self, message: str | None) -> None:
        if message is not None and (self._held or "").strip() == message.strip():
            self._held = None
        self._release()

    def show(self, kind: str, lines: list[str]) -> None:  # noqa: ARG002 - for those that style them
        """Print the lines that an event of this kind gave."""
        for line in lines:
            output.note(line)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held:
            self.show("message", held.splitlines())


class PassedThrough(PlainLines):
    """What a command prints, on the same streams and byte for byte."""

    def __init__(self, *, all_to_stderr: bool) -> None:
        super().__init__()
        self._all_to_stderr = all_to_stderr

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "output":
            self._pass(output_bytes(data), to_stderr=data.get("stream") == "stderr")
        elif kind != "message":  # which is what it printed, once more
            super().tell(kind, data)

    def _pass(self, data: bytes, *, to_stderr: bool) -> None:
        if to_stderr or self._all_to_stderr:
            output.note_bytes(data)
            return
        with suppress(output.ReaderGone):  # the job goes on all the same
            output.write_bytes(data)


class BottomLine(PlainLines):
    """The story scrolls above one line that says what is going on and for how long."""

    def __init__(self, agent: str, *, is_review: bool = False) -> None:
        from rich.console import Console  # noqa: PLC0415 - only for a terminal
        from rich.status import Status  # noqa: PLC0415

        super().__init__(is_review=is_review)
        self._agent = agent
        self._doing = "starting"
        self._started = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._status = Status(self, console=self._console, spinner="dots")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._status.stop()

    def __rich__(self) -> Any:
        from rich.text import Text  # noqa: PLC0415

        elapsed = show_duration(round(time.monotonic() - self._started) or 0.1)
        words = f"{self._agent}: {self._doing}"
        room = max(terminal_columns() - len(elapsed) - 8, 10)
        return Text.assemble((cut(words, room), "bold"), (f"  {elapsed}", "dim"))

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        super().tell(kind, data)
        self._doing = _doing(kind, data) or self._doing

    def show(self, kind: str, lines: list[str]) -> None:
        from rich.text import Text  # noqa: PLC0415

        for line in lines:
            self._console.print(Text(line, style=_STYLES.get(kind, "")), soft_wrap=True)


_STYLES = {"reasoning": "dim", "command": "cyan", "warning": "yellow", "error": "red"}


def _doing(kind: str, data: Mapping[str, Any]) -> str | None:
    if kind == "phase":
        return str(data.get("name") or "")
    if kind == "command":
        return f"runs {data.get('command')}" if data.get("status") == "started" else "works"
    if kind in ("file_change", "tool"):
        return next(iter(story_lines(kind, data)), None)
    return "thinks" if kind == "reasoning" else None
