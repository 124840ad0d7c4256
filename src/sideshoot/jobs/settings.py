"""What a user can set for a repository: names, kinds, defaults, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.amounts import parse_duration, parse_size
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.jobs.store import Store


class Kind(NamedTuple):
    """What values a setting takes."""

    read: Callable[[str], Any]
    """Gives what the text of a value means; raises ValueError if it is none."""
    takes: str


def _number(text: str) -> float:
    if text == "off":
        return math.inf
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError(text)
    return number


def _agent(text: str) -> str | None:
    from sideshoot.agents.registry import names  # noqa: PLC0415 - not to look at jobs

    if text and (text == "command" or text not in names()):
        raise ValueError(text)
    return text or None


def _level(text: str) -> str | None:
    if text and text not in ("off", "write", "offline"):
        raise ValueError(text)
    return text or None


def _words(text: str) -> str:
    text.encode()  # bytes of the command line that are no text come as lone surrogates
    return text


NUMBER = Kind(_number, "a number that is not negative, or off")
AGENT = Kind(_agent, "the name of an agent for tasks")
LEVEL = Kind(_level, "off, write or offline")
DURATION = Kind(parse_duration, "a duration like 30s, 10m, 1h30m, or off")
SIZE = Kind(parse_size, "an amount like 500K, 10M, 2G, or off")
WORDS = Kind(_words, "a text in UTF-8")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set."""

    key: str
    kind: Kind
    default: str
    meaning: str


SETTINGS = (
    Setting("gc.max_age_days", NUMBER, "14", "how long a decided job is held"),
    Setting("gc.max_size_mb", NUMBER, "5120", "decided jobs go earlier past this; status warns"),
    Setting(
        "notify.command", WORDS, "", "run by a shell when a background job ends; off: no notice"
    ),
    Setting("run.agent", AGENT, "", "who does a task; else the first that is installed"),
    Setting(
        "run.sandbox", LEVEL, "", "the fence around it; else write where it has no own sandbox"
    ),
    Setting("run.timeout", DURATION, "30m", "a job ends after this long"),
    Setting(
        "run.idle_timeout", DURATION, "off", "a job ends after this long without a sign of life"
    ),
    Setting("run.output_limit", SIZE, "off", "a job ends after this much output"),
)


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting and its value here."""

    setting: Setting
    value: str
    is_set: bool


def in_force(store: Store | None, setting: Setting) -> InForce:
    """The value of a setting; without records of a repository, its default."""
    value = store.setting(setting.key) if store is not None else None
    return InForce(setting, setting.default if value is None else value, value is not None)


def value_of(store: Store | None, key: str) -> Any:
    """What the value of a setting means, as its kind reads it.

    Where another version has left a value that this one does not know, it is the default.
    """
    found = in_force(store, named(key))
    read = found.setting.kind.read
    try:
        return read(found.value)
    except ValueError:
        return read(found.setting.default)


def number(store: Store, key: str) -> float:
    """The value of a setting that is a number; infinity for `off`."""
    return float(value_of(store, key))


def named(key: str) -> Setting:
    """The setting with this name.

    :raises UsageError: there is none.
    """
    for setting in SETTINGS:
        if setting.key == key:
            return setting
    known = ", ".join(setting.key for setting in SETTINGS)
    raise UsageError(f"there is no setting {key!r}; there are {known}")


def change(store: Store, setting: Setting, value: str) -> None:
    """Set it, or with the value `default` unset it.

    :raises UsageError: it can't have this value.
    """
    check(setting, value)
    store.set_setting(setting.key, None if value == "default" else value)


def check(setting: Setting, value: str) -> None:
    """Refuse a value that a setting can't have.

    :raises UsageError: it can't.
    """
    try:
        if value != "default":
            setting.kind.read(value)
    except ValueError:
        takes = setting.kind.takes
        raise UsageError(
            f"{setting.key} can't be {value!r}: it takes {takes}, or default"
        ) from None
