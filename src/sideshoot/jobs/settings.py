"""What a user can set for a repository: names, defaults, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from sideshoot.jobs.store import Store


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set."""

    key: str
    default: str
    meaning: str
    is_number: bool = False


SETTINGS = (
    Setting("gc.max_age_days", "14", "how long a decided job is held", is_number=True),
    Setting(
        "gc.max_size_mb", "5120", "decided jobs go earlier past this; status warns", is_number=True
    ),
    Setting("notify.command", "", "run by a shell when a background job ends; off: no notice"),
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


def number(store: Store, key: str) -> float:
    """The value of a setting that is a number."""
    found = in_force(store, named(key))
    try:
        return float(found.value)
    except ValueError:
        return float(found.setting.default)


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
    """Set it, or with the value ``default`` unset it.

    :raises UsageError: it can't have this value.
    """
    if value == "default":
        store.set_setting(setting.key, None)
        return
    if setting.is_number and not _is_amount(value):
        raise UsageError(f"{setting.key} takes a number that is not negative, or `default`")
    store.set_setting(setting.key, value)


def _is_amount(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
