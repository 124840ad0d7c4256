"""What is set for a repository: by files, and by `sideshoot config`, which the records hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.config import SETTINGS, Origin, load
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from sideshoot.config import Config, Setting
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store


def load_config(repository: Repository, store: Store | None, *, lenient: bool = False) -> Config:
    """All that is set for a repository, seen from this working tree of it.

    :param store: its records, if it has any.
    :param lenient: for commands that only look: what is wrong in a file is left out.
    :raises BadConfiguration: a file can't be read, or says what can't be.
    """
    kept = store.settings() if store is not None else {}
    return load(
        repository.top,
        repository=repository.common_dir,
        stored={one.key: kept[one.key] for one in SETTINGS if one.key in kept},
        lenient=lenient,
    )


def change(store: Store, config: Config, setting: Setting, value: str) -> None:
    """Set it for the repository, or with the value `default` unset it.

    :raises UsageError: it can't have this value.
    """
    check(config, setting, value)
    store.set_setting(setting.key, None if value == "default" else value)


def set_off(store: Store, config: Config, setting: Setting) -> None:
    """See to it that it has no value here, also where a file gives it one."""
    set_elsewhere = any(
        setting.key in layer.entries
        for layer in config.layers
        if layer.origin is not Origin.REPOSITORY
    )
    store.set_setting(setting.key, "" if set_elsewhere else None)


def check(config: Config, setting: Setting, value: str) -> None:
    """Refuse a value that a setting can't have.

    :raises UsageError: it can't.
    """
    if setting.only_in_files:
        raise UsageError(
            f"{setting.key} is set in files alone: in sideshoot.toml at the top of the repository, "
            "or in your own"
        )
    if value != "default" and not _can_be(config, setting, value):
        raise UsageError(
            f"{setting.key} can't be {value!r}: it takes {setting.kind.takes}, or default"
        )


def agents_for_tasks(config: Config) -> list[str]:
    """The names of all agents that can be given a task in words."""
    from sideshoot.agents.registry import names  # noqa: PLC0415 - not to look at jobs

    ours = [name for name, found in config.agents.items() if found.acp or found.command]
    return sorted({*names(), *ours} - {"command"})


def _can_be(config: Config, setting: Setting, value: str) -> bool:
    try:
        meant = setting.kind.read(value)
    except ValueError:
        return False
    return setting.key != "run.agent" or meant is None or meant in agents_for_tasks(config)
