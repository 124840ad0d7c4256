"""A path as a word of a command that an agent can run, whatever shell it has.

A quote, a line break or a byte that is no text would have to be written in a form that not every
shell knows, and that agents refuse to run. git's own patterns can do without: `?` is any one byte.
"""

from __future__ import annotations

import re
import shlex

_PLAIN = re.compile(rb"[A-Za-z0-9_./,+@%=-]+")
_MAGIC = b"*?[\\"


def as_word(path: bytes) -> str:
    """The pathspec of a path relative to the top folder, for `git diff A B -- WORD` run there."""
    if _PLAIN.fullmatch(path):
        return path.decode("ascii")
    text = path.decode("utf-8", "surrogateescape")
    if all(letter.isprintable() and letter != "'" for letter in text):
        needs_help = path.startswith(b":") or any(byte in _MAGIC for byte in path)
        return shlex.quote(f":(top,literal){text}" if needs_help else text)
    return shlex.quote(":(top,glob)" + "".join(map(_as_pattern, text)))


def _as_pattern(letter: str) -> str:
    if letter in "*?[\\":
        return f"\\{letter}"
    if letter.isprintable() and letter != "'":
        return letter
    return "?" * len(letter.encode("utf-8", "surrogateescape"))
