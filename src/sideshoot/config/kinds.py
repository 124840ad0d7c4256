"""The kinds of values that settings have: how each is written, and what it means."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.amounts import parse_duration, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(NamedTuple):
    """What values a setting takes.

    A value is a text wherever it is set; what a file says in a type of TOML's own becomes one.
    """

    read: Callable[[str], Any]
    """Gives what the text of a value means; raises ValueError if it is none."""
    takes: str
    text_of: Callable[[Any], str]
    """Gives the text of a value of TOML's; raises ValueError if it has the wrong type."""


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
"""What an agent may be called."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


# -- what texts mean


def _number(text: str) -> float:
    if text == "off":
        return math.inf
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    number = 0 if text == "off" else int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _agent(text: str) -> str | None:
    if text and (text == "command" or not NAME.fullmatch(text)):
        raise ValueError(text)
    return text or None


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(text)
    return text == "on"


def _words(text: str) -> str:
    text.encode()  # bytes of the command line that are no text come as lone surrogates
    if "\0" in text:
        raise ValueError(text)
    return text


def _name(text: str) -> str | None:
    return _words(text) or None


def _folder(text: str) -> str | None:
    if not text:
        return None
    words = os.path.normpath(_words(text)).split("/")
    names = {word.casefold() for word in words}
    somebodys = text.startswith("~") and not text.startswith("~/")
    if "\n" in text or somebodys or names <= {".", ".."} or ".git" in names:
        raise ValueError(text)
    return text


def _one_of(*choices: str) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        if text and text not in choices:
            raise ValueError(text)
        return text or None

    return read


def _list(text: str) -> tuple[str, ...]:
    return tuple(_words(word) for word in json.loads(text))


def _commands(text: str) -> tuple[str, ...]:
    commands = _list(text)
    if not all(command.strip() for command in commands):
        raise ValueError(text)
    return commands


def _paths(text: str) -> tuple[str, ...]:
    paths = _list(text)
    for path in paths:
        words = os.path.normpath(path).split("/")
        inside = path and not path.startswith(("/", "~")) and words[0] not in (".", "..")
        if not inside or ".git" in {word.casefold() for word in words}:
            raise ValueError(path)
    return paths


def _folders(text: str) -> tuple[str, ...]:
    folders = _list(text)
    for folder in folders:
        words = folder.removeprefix("~").split("/")
        if not folder.startswith(("/", "~/")) or ".." in words or not any(words):
            raise ValueError(folder)
    return folders


def _argv(text: str) -> tuple[str, ...]:
    words = _list(text)
    if not words or not words[0].strip():
        raise ValueError(text)
    return words


def _variables(text: str) -> dict[str, str]:
    variables: dict[str, str] = json.loads(text)
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError(name)
        _words(value)
    return variables


# -- texts of what a file says


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - a value that can't be, like any other
    return value


def _text_or_off(value: Any) -> str:
    return "off" if value is False else _text(value)


def _on_or_off(value: Any) -> str:
    return "on" if value is True else _text_or_off(value)


def _amount(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if is_number else _text_or_off(value)


def _text_of_list(value: Any) -> str:
    if not isinstance(value, list):
        raise ValueError(value)  # noqa: TRY004
    return json.dumps([_text(word) for word in value], ensure_ascii=False)


def _text_of_argv(value: Any) -> str:
    return _text_of_list(shlex.split(value) if isinstance(value, str) else value)


def _text_of_variables(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError(value)  # noqa: TRY004
    texts = {
        name: str(one) if type(one) is int else _text(one) for name, one in sorted(value.items())
    }
    return json.dumps(texts, ensure_ascii=False)


NUMBER = Kind(_number, "a number that is not negative, or off", _amount)
COUNT = Kind(_count, "a whole number, or off", _amount)
AGENT = Kind(_agent, "the name of an agent for tasks", _text)
LEVEL = Kind(_one_of("off", "write", "offline"), "off, write or offline", _text_or_off)
COPY = Kind(_one_of("worktree", "clone"), "worktree or clone", _text)
CARRY = Kind(_one_of("all", "tracked", "none"), "all, tracked or none", _text)
LFS = Kind(_one_of("skip", "pull"), "skip or pull", _text)
DURATION = Kind(parse_duration, "a duration like 30s, 10m, 1h30m, or off", _text_or_off)
SIZE = Kind(parse_size, "an amount like 500K, 10M, 2G, or off", _amount)
SWITCH = Kind(_switch, "on or off", _on_or_off)
WORDS = Kind(_words, "a text in UTF-8", _text_or_off)
TEXT = Kind(_name, "a text in UTF-8", _text)
FOLDER = Kind(_folder, "a folder of its own, and not in .git", _text)
COMMANDS = Kind(_commands, 'a list of commands for the shell, like ["npm ci"]', _text_of_list)
PATHS = Kind(
    _paths,
    'a list of paths inside the repository, like ["node_modules"]',
    _text_of_list,
)
FOLDERS = Kind(_folders, 'a list of folders, absolute or below ~, like ["~/.tool"]', _text_of_list)
ARGV = Kind(_argv, 'a command, like "tool --flag" or ["tool", "--flag"]', _text_of_argv)
VARIABLES = Kind(_variables, 'a table of variables, like { NAME = "value" }', _text_of_variables)
