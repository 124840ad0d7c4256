"""The files that settings are read from: where they are, and what they say."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.config.layer import Entry, Layer, Origin
from sideshoot.config.settings import AGENTS, at, may_hold, unknown
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sideshoot.config.kinds import Kind
    from sideshoot.config.positions import Place
    from sideshoot.config.settings import Names, Setting

NAME = "sideshoot.toml"
"""The file at the top of a repository."""

_LARGEST = 1 << 20
_LONGEST_SHOWN = 60


def own_file() -> Path | None:
    """The user's own file, by the XDG base directory specification; `None` without a home."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        folder = Path(named) if named.startswith("/") else Path.home() / ".config"
    except RuntimeError:
        return None
    return folder / "sideshoot" / "config.toml"


def read_file(path: Path, origin: Origin) -> Layer:
    """What a file sets; nothing where there is none."""
    try:
        text = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return Layer(origin)
    except OSError as error:
        return Layer(origin, path, problems=(f"can't read {show_path(path)}: {error.strerror}",))
    except ValueError as error:
        return Layer(origin, path, problems=(f"{show_path(path)} {error}",))
    return _Reading(path, origin).layer(text)


def _content(path: Path) -> str:
    # A repository can bring a link to a device or a pipe, which would never end.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("is no file")
        if found.st_size > _LARGEST:
            raise ValueError("is too large to be a configuration file")
        try:
            # Some editors put a mark at the beginning that TOML does not know.
            return file.read().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"is not in UTF-8 (at byte {error.start})") from None


class _Reading:
    """One file, as it is gone through."""

    def __init__(self, path: Path, origin: Origin) -> None:
        self._path = path
        self._origin = origin
        self._name = NAME if origin is Origin.REPOSITORY_FILE else show_path(path)
        self._lines: dict[Place, int] = {}
        self._entries: dict[str, Entry] = {}
        self._problems: list[str] = []

    def layer(self, text: str) -> Layer:
        import tomllib  # noqa: PLC0415 - only where there is a file

        from sideshoot.config.positions import lines_of  # noqa: PLC0415

        try:
            tables = tomllib.loads(text)
            self._lines = lines_of(text)
        except RecursionError:
            self._problems.append(f"{self._name}: it is nested too deeply")
        except ValueError as error:  # with the place, in tomllib's words
            self._problems.append(f"{self._name}: {error}")
        else:
            for place, value in _settings_in(tables):
                self._take(place, value)
        return Layer(self._origin, self._path, self._entries, tuple(self._problems))

    def _take(self, place: Names, value: Any) -> None:
        setting = at(place)
        if setting is None:
            self._complain(place, unknown(place))
            return
        try:
            text = _text_of(setting.kind, value)
        except ValueError:
            self._refuse(setting, place, value)
        else:
            self._entries[setting.key] = Entry(text, self._lines.get(place))

    def _refuse(self, setting: Setting, place: Names, value: Any) -> None:
        """Say what is wrong with a value; of a list or table, with the first part that is."""
        where: Place = place
        for name, part, alone in _parts(setting.kind, value):
            try:
                _text_of(setting.kind, alone)
            except ValueError:
                where, value = (*place, name), part
                break
        self._complain(
            where, f"{setting.key} can't be {_shown(value)}: it takes {setting.kind.takes}"
        )

    def _complain(self, place: Place, text: str) -> None:
        line = self._lines.get(place)
        self._problems.append(f"{self._name}{f', line {line}' if line else ''}: {text}")


def _settings_in(tables: Mapping[str, Any]) -> Iterator[tuple[Names, Any]]:
    """The places at which something is set; what is no table where one has to be is among them."""
    for name, table in tables.items():
        if name == AGENTS and isinstance(table, dict):
            for agent, facts in table.items():
                yield from _pairs((name, agent), facts)
        else:
            yield from _pairs((name,), table)


def _pairs(place: Names, table: Any) -> Iterator[tuple[Names, Any]]:
    if not isinstance(table, dict) or not may_hold(place):
        yield place, table
        return
    for name, value in table.items():
        yield (*place, name), value


def _text_of(kind: Kind, value: Any) -> str:
    text = kind.text_of(value)
    kind.read(text)
    return text


def _parts(kind: Kind, value: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """The name of each part, what to show of it, and a value that has it alone."""
    try:
        kind.text_of(type(value)())
    except (ValueError, TypeError):
        return  # it takes no parts at all
    if isinstance(value, list):
        yield from ((number, part, [part]) for number, part in enumerate(value))
    elif isinstance(value, dict):
        yield from ((name, {name: part}, {name: part}) for name, part in value.items())


def _shown(value: Any) -> str:
    import json  # noqa: PLC0415 - only for a value that is wrong

    text = show_path(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
