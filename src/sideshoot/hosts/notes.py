"""What Sideshoot has changed in files of hosts, so that exactly that can be taken back.

A note holds no more of a file than the place and the text that was put there; a copy of somebody's settings
could be a copy of their secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CannotStart
from sideshoot.home import state_folder

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Splice:
    """One text that was put in the place of another."""

    at: int
    """Counted in characters."""
    old: str
    new: str

    @classmethod
    def between(cls, before: str, after: str) -> Splice:
        """What makes `after` of `before`: all between what both begin with and what both end with."""
        start = _common(before, after)
        most = min(len(before), len(after)) - start
        end = _common(before[::-1][:most], after[::-1][:most])
        return cls(start, before[start : len(before) - end], after[start : len(after) - end])

    def undone(self, after: str) -> str:
        """What was there before."""
        return after[: self.at] + self.old + after[self.at + len(self.new) :]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    differing = (number for number, (a, b) in enumerate(pairs) if a != b)
    return next(differing, min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class Note:
    """What was done to one file."""

    digest: str
    """Of the text that came of it."""
    splices: tuple[Splice, ...]
    """In the order in which they were made."""
    made: tuple[tuple[str, ...], ...] = ()
    """The objects that were put in around a value."""
    is_new: bool = False
    """Whether there was no file."""
    is_new_folder: bool = False
    """Whether there was no folder for it."""

    def undone(self, text: str) -> str | None:
        """The text of before; `None` if something else has been changed since."""
        if digest_of(text) != self.digest:
            return None
        for splice in reversed(self.splices):
            text = splice.undone(text)
        return text


def digest_of(text: str) -> str:
    """What tells one text from others."""
    return hashlib.sha256(text.encode()).hexdigest()


def note_of(host: str, file: Path) -> Note | None:
    """What was done to a file for a host, if that is known."""
    facts = _read().get(_key(host, file))
    try:
        return _note(facts) if facts else None
    except (KeyError, TypeError, ValueError):
        return None


def remember(host: str, file: Path, note: Note) -> None:
    """Write down what is about to be done.

    :raises CannotStart: it can't be written down.
    """
    _write({**_read(), _key(host, file): asdict(note)})


def forget(host: str, file: Path) -> Note | None:
    """It has been taken back; returns what was noted."""
    known = note_of(host, file)
    notes = _read()
    if notes.pop(_key(host, file), None) is not None:
        _write(notes)
    return known


def _note(facts: dict[str, Any]) -> Note:
    return Note(
        digest=facts["digest"],
        splices=tuple(Splice(it["at"], it["old"], it["new"]) for it in facts["splices"]),
        made=tuple(tuple(place) for place in facts["made"]),
        is_new=facts["is_new"],
        is_new_folder=facts["is_new_folder"],
    )


def _key(host: str, file: Path) -> str:
    return f"{host} {file}"


def _read() -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        notes = json.loads(_file().read_text())
        if isinstance(notes, dict):
            return notes
    return {}  # then what was put in is found by what it says


def _write(notes: dict[str, Any]) -> None:
    file = _file()
    if not notes:
        file.unlink(missing_ok=True)
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(notes, indent=2))
        fresh.chmod(0o600)
        fresh.replace(file)
    except OSError as error:
        raise CannotStart(
            f"can't write {file}: {error.strerror}; nothing was changed, since it could not be taken back"
        ) from None


def _file() -> Path:
    return state_folder("notes of what was changed") / "hosts.json"
