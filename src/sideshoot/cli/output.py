"""What goes to the screen: results to standard output, the story to standard error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from sideshoot.errors import SideshootError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def prepare_streams() -> None:
    """Make printing safe whatever the caller did with the three standard files.

    A descriptor that is closed would be taken by the next file that is opened, and a child's output
    would then run into it. Text that an encoding can't show is escaped rather than an error.
    """
    for descriptor in (0, 1, 2):
        _open_if_closed(descriptor)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # closed, or replaced by a test
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _open_if_closed(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        # The lowest free number is taken, and the lower ones are open by now.
        os.open(os.devnull, os.O_RDWR)


class ReaderGone(Exception):
    """Whoever read our standard output has closed it: there is nothing left to do, and no failure."""


def write(text: str) -> None:
    """Write a part of the result."""
    _write(text)


def say(text: str = "") -> None:
    """Write a line of the result."""
    _write(f"{text}\n")


def note(text: str = "") -> None:
    """Write a line of the story."""
    if sys.stderr is not None:
        with suppress(OSError):  # nobody reads it; that is no reason to stop
            print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Write a warning."""
    note(f"{styled('warning:', 'yellow', sys.stderr)} {text}")


def write_bytes(data: bytes) -> None:
    """Write bytes as they are, after whatever text came before them."""
    if sys.stdout is not None:
        with _writing():
            _pass(sys.stdout, data)


def note_bytes(data: bytes) -> None:
    """The same as a part of the story."""
    if sys.stderr is not None:
        with suppress(OSError):
            _pass(sys.stderr, data)


def binary() -> BinaryIO:
    """Standard output for bytes; what was written as text comes before them."""
    if sys.stdout is None:
        return open(os.devnull, "wb")  # it stays open for as long as the process
    sys.stdout.flush()
    return sys.stdout.buffer


def say_object(value: Mapping[str, Any]) -> None:
    """Write the one object of `--json`."""
    import json  # noqa: PLC0415 - only for --json

    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    # UTF-8 can show all but lone surrogates, and those are escaped as JSON escapes them.
    say(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8"))


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Text in a colour or weight, where `stream` (standard output if left out) shows such."""
    if not has_colour(stream or sys.stdout):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def has_colour(stream: TextIO | None) -> bool:
    """Whether `stream` is a terminal that shows colours, and the user wants them (NO_COLOR)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and _can_colour()


def _can_colour() -> bool:
    return os.environ.get("TERM", "dumb") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person watches `stream`."""
    with suppress(ValueError, AttributeError):  # closed, or not there
        return stream is not None and stream.isatty()
    return False


def silence() -> None:
    """Nobody reads standard output any more: what is still held back goes nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write(text: str) -> None:
    if sys.stdout is not None:
        with _writing():
            sys.stdout.write(text)
            sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is held back would only fail once more when the process ends.
        silence()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from error
        raise SideshootError(f"can't write the result: {error.strerror}") from error


def _pass(stream: TextIO, data: bytes) -> None:
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # replaced by something that takes text only
        stream.write(data.decode(errors="replace"))
        return
    buffer.write(data)
    buffer.flush()
