"""Paths as people see them."""

from __future__ import annotations

import os


def show_path(path: bytes | str | os.PathLike[str]) -> str:
    """A path as text that fits on one line: bytes and control characters that would spoil it are escaped.

    `"a\\nb"` becomes `a\\x0ab`; a path that is plain UTF-8 stays as it is.
    """
    raw = os.fsencode(path)
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def printable(line: str) -> str:
    """A line as a terminal may get it: what would steer it or mislead the reader is written as an escape.

    That is all that Unicode calls control, format, private or unassigned: escape sequences, but letters
    that turn the direction of text around, too.
    """
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\u3000" else _spelled(c) for c in line)


def path_fields(path: bytes, key: str = "path") -> dict[str, str]:
    """A path for JSON: as text, and in base64 as well where the text is not its exact bytes."""
    shown = show_path(path)
    if shown.encode() == path:
        return {key: shown}
    import base64  # noqa: PLC0415 - rare

    return {key: shown, f"{key}_base64": base64.b64encode(path).decode("ascii")}


def _spelled(character: str) -> str:
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
