"""What a user has typed as a slash command, held word for word until it is carried out.

Between a slash command and the tool that carries it out stands the host's model, which would have to
copy the user's words: no model copies a hundred kilobytes, or what looks like an instruction, without
fail. So a hook, which hears every prompt exactly as it was typed, puts it into a file here, and the
model hands on nothing but the file's name.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sideshoot.errors import UsageError
from sideshoot.home import state_folder
from sideshoot.lock import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = (
    "rescue",
    "review",
    "adversarial-review",
    "status",
    "result",
    "diff",
    "keep",
    "discard",
    "undo",
    "cancel",
    "setup",
    "transfer",
)
"""The slash commands, by their names after `/sideshoot:`."""

HELD_S = 24 * 3600.0
"""What nobody has asked for in this time is removed."""

_COMMAND = re.compile(rf"\s*/sideshoot:({'|'.join(COMMANDS)})(?!\S)(.*)", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{12}")
_BUSY = "this slash command is being carried out already; wait for that"


@dataclass(frozen=True, slots=True)
class Typed:
    """A slash command."""

    command: str
    words: str = ""
    """All that came after its name, white space too."""
    session: str = ""
    """The host's session in which it was typed."""
    folder: str = ""
    """The folder that the session was in."""
    job: str | None = None
    """The job that was begun for it. It is not begun twice."""
    is_done: bool = False
    """It was carried out. What decides about a job is done once each time that it is typed."""


def read_command(prompt: str) -> Typed | None:
    """The slash command of ours that a prompt is; `None` if it is another, or none."""
    found = _COMMAND.fullmatch(prompt)
    return Typed(found[1], found[2]) if found else None


def hold(typed: Typed) -> str:
    """Keep what was typed, and return the id by which it is had back.

    :raises CannotStart: the user has no home folder.
    """
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_old(folder)
    name = secrets.token_hex(6)
    _write(folder / name, typed)
    return name


def held(name: str) -> Typed:
    """What is held by this id.

    :raises UsageError: nothing is.
    """
    return _read(_file(name))


@contextmanager
def carrying_out(name: str) -> Iterator[Typed]:
    """What is held by this id, while nobody else begins anything for it.

    :raises UsageError: nothing is held.
    :raises Busy: somebody else begins it all the while.
    """
    file = _file(name)
    with locked(file.with_suffix(".lock"), busy=_BUSY):
        yield _read(file)


def note_job(name: str, job_id: str) -> None:
    """The job of this id was begun for what is held."""
    _change(name, job=job_id)


def note_done(name: str) -> None:
    """What is held was carried out."""
    _change(name, is_done=True)


def _change(name: str, **facts: Any) -> None:
    file = _file(name)
    _write(file, replace(_read(file), **facts))


def _file(name: str) -> Path:
    if not _ID.fullmatch(name):
        raise UsageError(f"{name!r} is no request; the id is told along with the slash command")
    return _folder() / name


def _read(file: Path) -> Typed:
    try:
        return Typed(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        raise UsageError(
            f"nothing is held as {file.name} any more; ask the user to type the command again"
        ) from None


def _write(file: Path, typed: Typed) -> None:
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    # In ASCII, which can hold halves of characters, too.
    fresh.write_text(json.dumps(asdict(typed)), encoding="ascii")
    fresh.replace(file)


def _forget_old(folder: Path) -> None:
    limit = time.time() - HELD_S
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another session forgets, too
            if file.stat().st_mtime < limit:
                file.unlink()


def _folder() -> Path:
    return state_folder("your slash commands") / "typed"
