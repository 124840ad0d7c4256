"""What stands in a settings file of a host so that it finds Sideshoot."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CannotStart
from sideshoot.hosts import notes
from sideshoot.hosts.file import read_text, replace_text
from sideshoot.hosts.form import Unreadable
from sideshoot.hosts.notes import Note, Splice
from sideshoot.hosts.plan import Change, Plan
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sideshoot.hosts.form import Form, Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One value that is put into the file."""

    place: Place
    value: Any

    @property
    def shown(self) -> str:
        return ".".join(self.place)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file, and what has to be noted of it: how it is taken back, or that it was."""

    name: str
    change: Change
    note: Note | None

    def after(self, now: str | None) -> Edit:
        """The same where the file holds another text by now that means what this one leads to."""
        return replace(self, change=replace(self.change, before=now))

    def carry_out(self) -> None:
        """:raises CannotStart: it can't be done; the file is as it was."""
        file = self.change.file
        if self.note is not None:  # first, so that whatever happens then can be taken back
            note = replace(self.note, is_new_folder=not file.parent.exists())
            notes.remember(self.name, file, note)
            replace_text(file, self.change.before, self.change.after)
        else:
            replace_text(file, self.change.before, self.change.after)
            self._clear_away(notes.forget(self.name, file))

    def _clear_away(self, note: Note | None) -> None:
        if note is not None and note.is_new_folder:
            with suppress(OSError):  # something else lies there by now
                self.change.file.parent.rmdir()


def _anew(old: Any, new: Any) -> Any:  # noqa: ARG001 - the simplest of its kind
    return new


@dataclass(frozen=True, slots=True)
class Registration:
    """A host that needs nothing but its file changed."""

    name: str
    title: str
    """What the host calls itself."""
    file: Path
    form: Form
    entries: tuple[Entry, ...]
    is_ours: Callable[[Any], bool]
    """Whether a value is one that was put in by `install`, of whatever version."""
    works: Callable[[Any], bool]
    """Whether a value has the host call Sideshoot, whoever wrote it."""
    renew: Callable[[Any, Any], Any] = _anew
    """What becomes of an older value of ours, and of a new one."""
    what: str = "the MCP server"
    note: str = ""

    def install(self) -> Plan:
        """:raises CannotStart: the file is broken, or has something else by that name."""
        edit = self.putting()
        if edit is None:
            return Plan(self.name, f"{self.title} has {self.what} already")
        summary = f"{self.title} gets {self.what}"
        return Plan(self.name, summary, (edit.change,), act=edit.carry_out, note=self.note)

    def uninstall(self) -> Plan:
        """:raises CannotStart: the file is broken."""
        edit = self.taking()
        if edit is None:
            return Plan(self.name, self._nothing())
        summary = f"{self.title} loses {self.what}"
        return Plan(self.name, summary, (edit.change,), act=edit.carry_out)

    def putting(self) -> Edit | None:
        """What puts the entries in; `None` if they are there.

        :raises CannotStart: the file is broken, or has something else by that name.
        """
        before = read_text(self.file)
        if self.is_installed():
            return None
        after, note = self._renewed(before)
        return Edit(self.name, Change(self.file, before, after), note)

    def is_installed(self) -> bool:
        """:raises CannotStart: the file is broken."""
        text = read_text(self.file)
        return all(self._stands(text, entry) for entry in self.entries)

    def value_at(self, place: Place) -> Any:
        """What stands somewhere in the file, `None` where nothing does.

        :raises CannotStart: the file is broken.
        """
        return self._value(read_text(self.file) or "", place)

    def taking(self) -> Edit | None:
        """What takes them out; `None` if none of ours is there.

        :raises CannotStart: the file is broken, or can't be without them.
        """
        before = read_text(self.file)
        ours = [entry for entry in self.entries if self._is_ours(before, entry)]
        if before is None or not ours:
            return None
        return Edit(self.name, Change(self.file, before, self.without(before, ours)), None)

    def without(self, before: str, entries: Sequence[Entry]) -> str | None:
        """The text of before the entries were put in, with what else was changed since then.

        `None` means that the file goes, as there was none.
        """
        note = notes.note_of(self.name, self.file)
        after = note.undone(before) if note else None
        if after is None:
            after = self._taken_out(before, entries, note.made if note else ())
        return None if note and note.is_new and not self._load(after) else after

    def put_in(self, before: str | None, entries: Sequence[Entry]) -> tuple[str, Note]:
        """The text with the entries, and the note that takes them out again."""
        text, splices = before or "", []
        for entry in entries:
            changed = self._put_one(text, entry)
            splices.append(Splice.between(text, changed))
            text = changed
        if any("\ud800" <= character <= "\udfff" for character in text):
            # Bytes of a path that are no text come as lone surrogates.
            raise CannotStart(
                f"{self.title} can't be told of a path that is no UTF-8; nothing was changed"
            )
        around = {entry.place[:depth] for entry in entries for depth in range(1, len(entry.place))}
        made = sorted(place for place in around if self._value(before or "", place) is None)
        return text, Note(notes.digest_of(text), tuple(splices), tuple(made), before is None)

    # -- texts

    def _renewed(self, before: str | None) -> tuple[str, Note]:
        """What was put in earlier, by a Sideshoot that lay elsewhere, is taken out and put in anew."""
        self._refuse_others(before)
        ours = [entry for entry in self.entries if self._is_ours(before, entry)]
        base = self.without(before, ours) if ours and before is not None else before
        wanted = [
            Entry(entry.place, self.renew(self._value(before or "", entry.place), entry.value))
            for entry in self.entries
            if entry in ours or self._value(before or "", entry.place) is None
        ]
        return self.put_in(base, wanted)

    def _refuse_others(self, before: str | None) -> None:
        for entry in self.entries:
            found = self._value(before or "", entry.place)
            if found is not None and not (self.is_ours(found) or self.works(found)):
                raise CannotStart(
                    f"{show_path(self.file)} has a {entry.shown} of somebody else's; it was left as it "
                    "is, so rename it or take it out first"
                )

    def _put_one(self, text: str, entry: Entry) -> str:
        try:
            return self.form.put(text, entry.place, entry.value)
        except Unreadable as error:
            raise self._broken(error) from None

    def _taken_out(self, text: str, entries: Sequence[Entry], made: tuple[Place, ...]) -> str:
        wanted = self._load(text)
        places = [entry.place for entry in entries] + sorted(made, key=len, reverse=True)
        for place in places:
            found = self._value(text, place)
            if place in made and (found is None or found):
                continue  # others have put something in there
            try:
                text = self.form.remove(text, place)
            except Unreadable as error:
                raise self._broken(error) from None
            _drop(wanted, place)
        if without_empty(self._load(text)) != without_empty(wanted):
            where = ", ".join(entry.shown for entry in entries)
            raise CannotStart(
                f"can't take {where} out of {show_path(self.file)} by itself; it was left alone, so "
                "take it out yourself"
            )
        return text

    # -- what stands there

    def _stands(self, text: str | None, entry: Entry) -> bool:
        found = self._value(text or "", entry.place)
        return found is not None and (found == entry.value or self.works(found))

    def _is_ours(self, text: str | None, entry: Entry) -> bool:
        found = self._value(text or "", entry.place)
        return found is not None and self.is_ours(found)

    def _nothing(self) -> str:
        before = read_text(self.file)
        found = [self._value(before or "", entry.place) for entry in self.entries]
        if any(value is not None for value in found):
            where = show_path(self.file)
            return (
                f"{self.title} has {self.entries[0].shown} from somebody else in {where}; it stays"
            )
        return f"{self.title} has no {self.what.removeprefix('the ')} of Sideshoot's"

    def _value(self, text: str, place: Place) -> Any:
        found = self._load(text)
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _load(self, text: str) -> Any:
        try:
            return self.form.load(text)
        except Unreadable as error:
            raise self._broken(error) from None

    def _broken(self, error: Unreadable) -> CannotStart:
        return CannotStart(f"can't use {show_path(self.file)}: {error}; it was left alone")


def _drop(found: Any, place: Place) -> None:
    for name in place[:-1]:
        found = found.get(name, {})
    found.pop(place[-1], None)


def without_empty(found: Any) -> Any:
    """What is there without objects that hold nothing; one that only a name stood for goes by itself."""
    if not isinstance(found, dict):
        return found
    inside = {name: without_empty(value) for name, value in found.items()}
    return {name: value for name, value in inside.items() if value != {}}
