"""The commands that come next, to read and to paste."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sideshoot.cli.command import Call


def next_command(call: Call, *words: str) -> str:
    """A command for the person who has just called us: as short as works for them."""
    folder = ["-C", str(call.folder)] if call.named else []
    return _joined([*_short_program(), *words[:1], *folder, *words[1:]])


def command_from_anywhere(folder: Path | str, *words: str) -> str:
    """A command that works when pasted into any shell, in any folder."""
    return _joined([*program(), *words[:1], "-C", str(folder), *words[1:]])


def command_in(folder: Path, *words: str) -> str:
    """A command of another program's, which has to be run in `folder`."""
    there = folder.resolve() == Path.cwd().resolve()
    return _joined([*words]) if there else f"{_joined(['cd', str(folder)])} && {_joined([*words])}"


def _short_program() -> list[str]:
    from shutil import which  # noqa: PLC0415 - not where a list of jobs is shown

    full = program()
    found = which("sideshoot")
    if len(full) == 1 and found and os.path.realpath(found) == os.path.realpath(full[0]):
        return ["sideshoot"]
    return full


def program() -> list[str]:
    """The words that start the program that is running now."""
    from shutil import which  # noqa: PLC0415

    started_as = Path(sys.argv[0])
    if started_as.name == "sideshoot":
        found = which(started_as)
        if found:
            return [str(Path(found).absolute())]
    return [sys.executable, "-m", "sideshoot"]


def _joined(words: list[str]) -> str:
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    # Control characters, and bytes that are no text, can be pasted only in this form.
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\x{byte:02x}"
        for byte in os.fsencode(word)
    )
    return f"$'{escaped}'"
