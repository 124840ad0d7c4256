"""The paths that a reviewer may mean by the name that it gives a file."""

from __future__ import annotations

import re

_LONGEST = 4096
"""In bytes; no file system has longer paths."""

_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")
_OCTAL = re.compile(rb'\\([0-3][0-7]{2}|[abfnrtv"\\])')
_LETTERS = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))
_MAGIC = re.compile(rb"^:\([a-z,]*literal\)|^:/")
_LINES = re.compile(rb"(?::|#L)\d+(?:[-:,]L?\d+)?$")
_QUOTES = b"\"'`"


def candidates(file: str) -> tuple[bytes, ...]:
    """Paths relative to the top, the likeliest first: the name as it is comes before all others.

    Reviewers take names from where they see them: a list that escapes bytes, a patch with `a/` and
    `b/` and quotes, a command line, an error message with a line behind the name.
    """
    raw = file.encode("utf-8", "replace")
    spoken = [raw, _ESCAPED.sub(_byte, raw)]
    if raw[:1] == raw[-1:] == b'"' and len(raw) > 1:
        spoken.append(_OCTAL.sub(_unquoted, raw[1:-1]))
    spoken.append(raw.strip(_QUOTES))
    found: dict[bytes, None] = {}
    for name in spoken:
        for path in (*_variants(name), *_variants(_LINES.sub(b"", name))):
            if _can_be(path):
                found[path] = None
    return tuple(found)


def _variants(name: bytes) -> tuple[bytes, ...]:
    plain = _MAGIC.sub(b"", name)
    forward = plain.replace(b"\\", b"/")
    cleaned = [_without_dots(path) for path in (plain, forward)]
    sides = [path[2:] for path in cleaned if path.startswith((b"a/", b"b/"))]
    return (name, *cleaned, *sides)


def _without_dots(path: bytes) -> bytes:
    return b"/".join(part for part in path.split(b"/") if part not in (b"", b"."))


def _can_be(path: bytes) -> bool:
    """Whether git can be asked for it: a path inside the tree."""
    parts = path.split(b"/")
    return len(path) <= _LONGEST and b"\0" not in path and not {b"", b".", b".."} & set(parts)


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


def _unquoted(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([_LETTERS[said[0]] if len(said) == 1 else int(said, 8)])
