"""JSON with comments, as editors and agents have it in their settings, changed in place.

`put` and `remove` touch the text of one member and leave all else as it was written: comments, order,
indentation, line ends. A value that `remove` takes out right after `put` leaves the text of before.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from sideshoot.hosts.form import Unreadable

if TYPE_CHECKING:
    from sideshoot.hosts.form import Place

_BLANK = re.compile(r"(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_REST_OF_LINE = re.compile(r"(?:[ \t]*/\*[^\n]*?\*/)*(?:[ \t]*//[^\r\n]*)?")
_WHITE = " \t\r\n"


def load(text: str) -> Any:
    """What the text says; an empty object where it says nothing.

    :raises Unreadable: it is no JSON.
    """
    return _read(text).value


def put(text: str, place: Place, value: Any) -> str:
    """The text with a member set, in a new object where there is none yet.

    :raises Unreadable: the text is no JSON, or has something else than an object on the way.
    """
    if not text.strip("\ufeff" + _WHITE):
        text = "{}\n"
    node = _read(text)
    for depth, name in enumerate(place):
        _must_be_object(node, place[:depth])
        found = node.member(name)
        if found is None:
            for inner in reversed(place[depth + 1 :]):
                value = {inner: value}
            return _added(text, node, name, value)
        node = found.node
    return text[: node.start] + _written(text, node.start, value) + text[node.end :]


def remove(text: str, place: Place) -> str:
    """The text without a member; as it is where there is none.

    :raises Unreadable: the text is no JSON.
    """
    node = _read(text)
    for name in place[:-1]:
        found = node.member(name)
        if found is None:
            return text
        node = found.node
    number = next((i for i, it in enumerate(node.members) if it.name == place[-1]), None)
    return text if number is None else _without(text, node, number)


# -- reading


@dataclass(slots=True)
class _Node:
    """A value and where it stands."""

    start: int
    end: int = 0
    value: Any = None
    members: list[_Member] = field(default_factory=list)

    def member(self, name: str) -> _Member | None:
        # Of several with one name the last one counts, as in JavaScript.
        return next((it for it in reversed(self.members) if it.name == name), None)


@dataclass(slots=True)
class _Member:
    name: str
    start: int
    """Where its name begins."""
    node: _Node
    comma: int | None = None
    """Where the comma after it stands."""


def _read(text: str) -> _Node:
    scan = _Scan(text)
    try:
        return scan.whole()
    except (ValueError, RecursionError, IndexError) as error:
        why = "it goes too deep" if isinstance(error, RecursionError) else "it is no JSON"
        line = text.count("\n", 0, scan.at) + 1
        raise Unreadable(f"{why} (line {line})") from None


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 1 if text.startswith("\ufeff") else 0

    def whole(self) -> _Node:
        self._skip()
        if self.at == len(self._text):
            return _Node(self.at, self.at, {})
        node = self._value()
        self._skip()
        if self.at < len(self._text):
            self._fail()
        return node

    def _value(self) -> _Node:
        node = _Node(self.at)
        opening = self._text[self.at]
        if opening == "{":
            self._object(node)
        elif opening == "[":
            self._array(node)
        else:
            node.value, self.at = _SCALARS.raw_decode(self._text, self.at)
        node.end = self.at
        return node

    def _object(self, node: _Node) -> None:
        node.value = {}
        self.at += 1
        self._skip()
        while not self._take("}"):
            start = self.at
            if self._text[start] != '"':
                self._fail()
            name = self._value().value
            self._skip()
            if not self._take(":"):
                self._fail()
            self._skip()
            member = _Member(name, start, self._value())
            node.members.append(member)
            node.value[name] = member.node.value
            member.comma = self._comma("}")

    def _array(self, node: _Node) -> None:
        node.value = []
        self.at += 1
        self._skip()
        while not self._take("]"):
            node.value.append(self._value().value)
            self._comma("]")

    def _comma(self, closing: str) -> int | None:
        self._skip()
        place = self.at
        if not self._take(","):
            if self._text[self.at] != closing:
                self._fail()
            return None
        self._skip()
        return place

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, letter: str) -> bool:
        if self._text[self.at] != letter:
            return False
        self.at += 1
        return True

    def _fail(self) -> NoReturn:
        raise ValueError


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


_SCALARS = json.JSONDecoder(parse_constant=_no_number)


def _must_be_object(node: _Node, place: Place) -> None:
    if not isinstance(node.value, dict):
        where = f"{'.'.join(place)} is" if place else "it is"
        raise Unreadable(f"{where} no object")


# -- writing


def _added(text: str, node: _Node, name: str, value: Any) -> str:
    if node.members:
        return _after_the_last(text, node, name, value)
    inside = _indent_at(text, node.start) + _unit(text)
    line = _line_end(text)
    member = f"{line}{inside}{_member(text, inside, name, value)}"
    empty = not text[node.start + 1 : node.end - 1].strip(" \t")
    ending = f"{line}{_indent_at(text, node.start)}" if empty else ""
    rest = text[node.end - 1 :] if empty else text[node.start + 1 :]
    return text[: node.start + 1] + member + ending + rest


def _after_the_last(text: str, node: _Node, name: str, value: Any) -> str:
    last = node.members[-1]
    if "\n" in text[node.start : node.end]:
        inside = _indent_at(text, last.start)
        member = f"{_line_end(text)}{inside}{_member(text, inside, name, value)}"
    else:
        member = f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
    if last.comma is not None:
        # The writer likes a comma after the last one, too.
        place = _comments_after(text, last.comma + 1)
        return f"{text[:place]}{member},{text[place:]}"
    place = _comments_after(text, last.node.end)
    return f"{text[: last.node.end]},{text[last.node.end : place]}{member}{text[place:]}"


def _comments_after(text: str, place: int) -> int:
    """Where the comments end that belong to what ends at `place`, if its line ends with them."""
    found = _REST_OF_LINE.match(text, place)
    end = found.end() if found else place
    return end if text[end : end + 1] in ("\r", "\n") else place


def _without(text: str, node: _Node, number: int) -> str:
    member = node.members[number]
    start = member.start - len(_white_before(text, member.start))
    end = member.node.end if member.comma is None else member.comma + 1
    rest = text[end:]
    if (
        len(node.members) == 1
        and not (text[node.start + 1 : start] + text[end : node.end - 1]).strip()
    ):
        return text[: node.start + 1] + text[node.end - 1 :]
    if _is_line_comment(text, _gap_before(node, number), start) and not _begins_line(rest):
        start = text.index("\n", start) + 1  # it would go on into what comes after
    if number and member.comma is None:
        comma = _gap_before(node, number) - 1
        return text[:comma] + text[comma + 1 : start] + rest
    return text[:start] + rest


def _begins_line(text: str) -> bool:
    return text.lstrip(" \t").startswith(("\n", "\r"))


def _gap_before(node: _Node, number: int) -> int:
    """Where begins what stands before a member: blanks and comments."""
    comma = node.members[number - 1].comma if number else None
    return node.start + 1 if comma is None else comma + 1


def _is_line_comment(text: str, start: int, end: int) -> bool:
    """Whether what ends at `end`, and holds blanks and comments alone, ends with a comment to the line's end."""
    comments = re.findall(r"//[^\n]*|/\*.*?\*/", text[start:end], re.DOTALL)
    return bool(comments) and comments[-1].startswith("//")


def _member(text: str, inside: str, name: str, value: Any) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: {_indented(text, inside, value)}"


def _written(text: str, place: int, value: Any) -> str:
    return _indented(text, _indent_at(text, place), value)


def _indented(text: str, inside: str, value: Any) -> str:
    """A value as people write it: objects and lists of objects over several lines, other lists in one."""
    parts: list[str] = []
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: " for name in value]
    inner = list(value.values()) if isinstance(value, dict) else value
    if not inner or not (parts or (isinstance(value, list) and isinstance(value[0], dict))):
        return json.dumps(value, ensure_ascii=False)
    deeper = inside + _unit(text)
    line = _line_end(text)
    names = parts or [""] * len(inner)
    shown = [
        f"{deeper}{name}{_indented(text, deeper, one)}"
        for name, one in zip(names, inner, strict=True)
    ]
    first, last = "{}" if parts else "[]"
    return line.join([first, f",{line}".join(shown), f"{inside}{last}"])


def _white_before(text: str, place: int) -> str:
    return text[len(text[:place].rstrip(_WHITE)) : place]


def _indent_at(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    found = re.search(r"\n([ \t]+)\"", text)
    return found[1] if found else "  "


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
