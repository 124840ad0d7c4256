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


def path_fields(path: bytes, key: str = "path") -> dict[str, str]:
    """A path for JSON: as text, and in base64 as well where the text is not its exact bytes."""
    shown = show_path(path)
    if shown.encode() == path:
        return {key: shown}
    import base64  # noqa: PLC0415 - rare

    return {key: shown, f"{key}_base64": base64.b64encode(path).decode("ascii")}


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
