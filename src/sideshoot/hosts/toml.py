"""TOML, changed in place: a table is added at the end, and goes with what belongs to it.

`codex mcp add` writes the whole file anew, and loses comments in it.
"""

from __future__ import annotations

import io
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from sideshoot.config.positions import lines_of
from sideshoot.hosts.form import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.hosts.form import Place

_SAYS_NOTHING = re.compile(r"[ \t]*(#.*)?")


def load(text: str) -> dict[str, Any]:
    """What the text says.

    :raises Unreadable: it is no TOML.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Unreadable(f"it is no TOML: {error}") from None


def put(text: str, place: Place, value: Mapping[str, Any]) -> str:
    """The text with one more table, at its end.

    :raises Unreadable: the text is no TOML, or the table is there, or there is no place for it.
    """
    load(text)
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [f"[{'.'.join(_name(name) for name in place)}]"]
    lines += [f"{_name(key)} = {_value(one)}" for key, one in value.items()]
    between = "" if text.endswith("\n") or not text else end
    gap = end if text.strip() else ""
    changed = text + between + gap + end.join(lines) + end
    try:
        load(changed)
    except Unreadable:
        raise Unreadable(f"{place[0]} is written in a way that can't be added to") from None
    return changed


def remove(text: str, place: Place) -> str:
    """The text without a table and all that belongs to it.

    :raises Unreadable: the text is no TOML.
    """
    while _has(load(text), place):
        shorter = _without_one_part(text, place)
        if shorter == text:
            raise Unreadable(f"{'.'.join(place)} is written in a way that can't be taken out")
        text = shorter
    return text


def _without_one_part(text: str, place: Place) -> str:
    """A table may stand in several parts: `[a.b]` here, and `[a.b.c]` further down."""
    body = text.removeprefix("\ufeff")
    mark = text[: len(text) - len(body)]
    lines = list(io.StringIO(body, newline="\n"))  # splitlines() knows more ends of lines
    places = lines_of(body)
    inside = [line for at, line in places.items() if at[: len(place)] == place]
    others = {line for at, line in places.items() if not _on_the_way(at, place)}
    first = min(inside) - 1
    last = min((line - 1 for line in others if line - 1 > first), default=len(lines))
    while last > first + 1 and _SAYS_NOTHING.fullmatch(lines[last - 1].rstrip("\r\n")):
        last -= 1  # what stands above the next table belongs to that one
    if first and not lines[first - 1].strip():
        first -= 1
    return mark + "".join(lines[:first] + lines[last:])


def _on_the_way(at: tuple[str | int, ...], place: Place) -> bool:
    return at[: len(place)] == place or place[: len(at)] == at


def _has(found: Any, place: Place) -> bool:
    for name in place:
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """Texts, numbers, switches, and lists and tables of these."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_name(key)} = {_value(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    # TOML's basic strings have JSON's escapes, but for the one of DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
