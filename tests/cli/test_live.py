"""Progress while a job runs."""

from __future__ import annotations

import errno
import io
import sys
from typing import TYPE_CHECKING

from sideshoot.cli.live import BottomLine, PassedThrough, PlainLines, WhileHeard, story_of

if TYPE_CHECKING:
    import pytest


def test_plain_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with story_of("codex", is_command=False, quiet_stdout=False) as story:
        assert isinstance(story, PlainLines)
        story.tell("command", {"command": "pytest", "status": "started"})
        story.tell("message", {"text": "working on it"})
        story.tell("command", {"command": "make", "status": "started"})
        story.tell("message", {"text": "done\n"})
        story.tell("usage", {"total_tokens": 7})
        story.end("done")
    captured = capsys.readouterr()
    assert captured.err == "$ pytest\nworking on it\n$ make\n"
    assert captured.out == ""


def test_a_last_message_that_is_not_the_result_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainLines() as story:
        story.tell("message", {"text": "one"})
        story.tell("message", {"text": "two"})
        story.end(None)
    assert capsys.readouterr().err == "one\ntwo\n"
    with PlainLines() as story:  # left by an exception, which tells nothing
        story.tell("message", {"text": "I am lost"})
    assert capsys.readouterr().err == "I am lost\n"


def test_an_edit_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainLines() as story:
        story.tell("file_change", {"paths": ["a.py"], "status": "started"})
        story.tell("file_change", {"paths": ["a.py"], "status": "completed"})
        story.tell("file_change", {"paths": ["b.py"], "status": "completed"})
    assert capsys.readouterr().err == "edits a.py\nedits b.py\n"


def test_a_command_speaks_for_itself(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with story_of("command", is_command=True, quiet_stdout=False) as story:
        story.tell("output", {"stream": "stdout", "text": "out, no line end"})
        story.tell("output", {"stream": "stderr", "text": "", "base64": "/w=="})
        story.tell("message", {"text": "out, no line end"})
        story.tell("warning", {"text": "slow"})
    captured = capfdbinary.readouterr()
    assert captured.out == b"out, no line end"
    assert captured.err == b"\xffwarning: slow\n"


def test_standard_output_can_be_kept_for_the_result(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    with PassedThrough(all_to_stderr=True) as story:
        story.tell("output", {"stream": "stdout", "text": "out\n"})
    captured = capfdbinary.readouterr()
    assert (captured.out, captured.err) == (b"", b"out\n")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_line_that_says_what_is_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    with story_of("codex", is_command=False, quiet_stdout=False) as story:
        assert isinstance(story, BottomLine)
        story.tell("command", {"command": "[bold]pytest[/bold]", "status": "started"})
        assert "codex: runs [bold]pytest[/bold]" in story.__rich__().plain
        story.tell("phase", {"name": "saving"})
        assert "codex: saving" in story.__rich__().plain
    assert "$ [bold]pytest[/bold]" in screen.getvalue()
    assert "\x1b[?25h" in screen.getvalue()  # the cursor is back


def test_a_story_that_nobody_hears_any_more_ends_without_a_word() -> None:
    told: list[str] = []

    class Gone(PlainLines):
        def tell(self, kind: str, data: object) -> None:  # noqa: ARG002 - a story's shape
            told.append(kind)
            raise OSError(errno.EIO, "Input/output error")

    with WhileHeard(Gone()) as story:
        story.tell("phase", {"name": "preparing"})
        story.tell("message", {"text": "done"})
        story.end("done")
    assert told == ["phase"]
