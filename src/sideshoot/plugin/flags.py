"""The flags in front of what was typed; all that comes after them is the user's words, untouched.

Flags are taken as long as each word is one that is known. The first other word begins the text, also
if it looks like a flag, and in the text nothing is looked at: no quotes, no escapes, no `--flag`. `--`
ends the flags where a text begins with one.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sideshoot.cli.prompt import is_job_id
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH, VALUE, VALUES, MAYBE_JOB = "switch", "value", "values", "job"
"""What comes after a flag: nothing; a word; a word, and the flag can be given again; a job's id or
nothing."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_VALUE = re.compile(r'"[^"]*"(?!\S)|\'[^\']*\'(?!\S)|\S+')
_BEFORE_TEXT = re.compile(r"[ \t]*(\r?\n)?")
_SIMILAR = 0.85
"""A word that is so similar to a flag is hardly the beginning of a text."""


class Flags:
    """The flags of a slash command, and the text after them."""

    def __init__(self, words: str, kinds: Mapping[str, str]) -> None:
        """:param kinds: what may be given, each with what comes after it.

        :raises UsageError: a value is missing, or a flag is misspelt.
        """
        self._words = words
        self._kinds = kinds
        self._at = 0
        self._given: dict[str, list[str]] = {}
        while self._take_one():
            pass
        self.text = words[self._text_start() :]
        """What is left, word for word but for the space that sets it off."""

    def has(self, name: str) -> bool:
        """Whether a flag was given."""
        return name in self._given

    def one(self, name: str) -> str | None:
        """The value of a flag, the last if there are several."""
        return next(reversed(self._given.get(name, [])), None)

    def all(self, name: str) -> list[str]:
        """Every value of a flag."""
        return self._given.get(name, [])

    def _take_one(self) -> bool:
        """Take the flag that comes next; whether there was one."""
        start = _after(_SPACE, self._words, self._at)
        word = _WORD.match(self._words, start)
        if word is None or word[0] == "--":
            self._at = word.end() if word else start
            return False
        name, equals, value = word[0].partition("=")
        if name not in self._kinds:
            self._refuse_misspelt(name)
            return False
        values = self._given.setdefault(name, [])
        kind = self._kinds[name]
        if equals and kind == SWITCH:
            raise UsageError(f"{name} takes no value")
        if equals:
            start += len(name) + 1
            if not value:
                raise UsageError(f"{name} needs a value")
            self._at = _after(_VALUE, self._words, start)
            values.append(_bare(self._words[start : self._at]))
        else:
            self._at = word.end()
            values.extend(self._value_of(name, kind))
        return True

    def _value_of(self, name: str, kind: str) -> list[str]:
        if kind == SWITCH:
            return []
        found = _VALUE.match(self._words, _after(_SPACE, self._words, self._at))
        if kind == MAYBE_JOB and (found is None or not is_job_id(found[0])):
            return []
        if found is None or found[0] == "--":
            raise UsageError(f"{name} needs a value")
        self._at = found.end()
        return [_bare(found[0])]

    def _refuse_misspelt(self, name: str) -> None:
        close = get_close_matches(name, self._kinds, 1, _SIMILAR) if name.startswith("--") else []
        if close:
            raise UsageError(
                f"there is no flag {name} (did you mean {close[0]}?); put -- before a text that"
                " begins with it"
            )

    def _text_start(self) -> int:
        return _after(_BEFORE_TEXT, self._words, self._at)


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _bare(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
