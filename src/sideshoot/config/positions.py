"""In which line of a TOML text each key and each value begins.

`tomllib` reads TOML and does not tell where it found what. So the same text is gone through once
more, for its lines alone: `lines_of` expects a text that `tomllib` has read without a complaint, and
has no opinion of its own on what is TOML. The grammar is that of https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""The names of the tables and the key; for an element of a list its number, from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK_OR_COMMA = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_STRINGS = (
    # A text in three quotes may end with one or two quotes of its own.
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# The only value of these with a blank in it is a date with a time.
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")


def lines_of(text: str) -> dict[Place, int]:
    """The line, from 1, of all that a TOML text names."""
    return _Scan(text).whole()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted_to = 1, 0
        self._lines: dict[Place, int] = {}
        self._last: dict[Place, int] = {}
        """The number of the last table in each list of tables."""

    def whole(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip(_BLANK):
            if self._take("[["):
                *above, name = self._names()
                table = self._one_more((*self._table(above), name))
                self._take("]]")
            elif self._take("["):
                table = self._table(self._names())
                self._take("]")
            else:
                self._pair(table)
        return self._lines

    def _table(self, names: list[str]) -> Place:
        place: Place = ()
        for name in names:
            place = (*place, name)
            self._note(place)
            if place in self._last:
                place = (*place, self._last[place])
        return place

    def _one_more(self, place: Place) -> Place:
        self._note(place)
        self._last[place] = self._last.get(place, -1) + 1
        element = (*place, self._last[place])
        self._note(element)
        return element

    def _pair(self, table: Place) -> None:
        place = table
        for name in self._names():
            place = (*place, name)
            self._note(place)
        self._take("=")
        self._value(place)

    def _value(self, place: Place) -> None:
        self._skip(_BLANK)
        self._note(place)
        if self._take("["):
            number = 0
            while self._skip(_BLANK_OR_COMMA) and not self._take("]"):
                self._value((*place, number))
                number += 1
        elif self._take("{"):
            while self._skip(_BLANK_OR_COMMA) and not self._take("}"):
                self._pair(place)
        elif self._string() is None and self._match(_SCALAR) is None:
            self._at += 1  # no TOML that we know; it must come to an end all the same

    def _names(self) -> list[str]:
        """The names of a dotted key, as they are meant."""
        names = []
        self._skip(_BLANK)
        while True:
            names.append(self._name())
            if not (self._skip(_BLANK) and self._take(".") and self._skip(_BLANK)):
                return names

    def _name(self) -> str:
        quoted = self._string()
        if quoted is None:
            return self._match(_BARE) or ""
        return next(iter(tomllib.loads(f"{quoted} = 0")))

    def _string(self) -> str | None:
        for pattern in _STRINGS:
            if (found := self._match(pattern)) is not None:
                return found
        return None

    # -- the text

    def _note(self, place: Place) -> None:
        """Remember where we are, the first time that it is the turn of `place`."""
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        self._lines.setdefault(place, self._line)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass what says nothing; whether there is anything after it."""
        self._match(pattern)
        return self._at < len(self._text)

    def _take(self, word: str) -> bool:
        found = self._text.startswith(word, self._at)
        self._at += len(word) if found else 0
        return found

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]
