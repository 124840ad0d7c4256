"""`sideshoot config`: what is set here, where from, and what waits for the user's consent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.actions import next_command
from sideshoot.cli.columns import cut, table, terminal_columns
from sideshoot.cli.command import Command
from sideshoot.cli.consent import show_items
from sideshoot.cli.place import Place, open_place
from sideshoot.errors import UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.config import Config, Setting

EXAMPLES = """\
sideshoot config
sideshoot config run.timeout 2h
sideshoot config notify.command 'say "$SIDESHOOT_ENDED_TITLE"'
sideshoot config run.timeout default
sideshoot config --trust"""

HELP = """Show what is set here and where from; with KEY one value, with VALUE set it for this repository.

The value `default` takes a setting back; `off` means no limit. What is set for `run` counts where its
option is not given.

Settings come from your own file, from sideshoot.toml at the top of the repository, and from this
command; each counts more than the one before. What sideshoot.toml would run waits for --trust.
"""

HEADINGS = ("KEY", "VALUE", "FROM", "MEANING")
_WIDEST_VALUE = 32


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from sideshoot.config import SETTINGS  # noqa: PLC0415 - while completing only

    return [setting.key for setting in SETTINGS if setting.key.startswith(incomplete)]


@click.command("config", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("key", required=False, metavar="[KEY", shell_complete=_complete)
@click.argument("value", required=False, metavar="[VALUE]]")
@click.option("--trust", is_flag=True, help="Allow all that sideshoot.toml says, as it stands now.")
@click.option("--untrust", is_flag=True, help="Take that back.")
def command(call: Call, key: str | None, value: str | None, *, trust: bool, untrust: bool) -> int:
    _refuse_contradictions(key, trust=trust, untrust=untrust)
    place = open_place(call)
    if trust or untrust:
        return (_trust if trust else _withdraw)(place)
    config = place.config(lenient=True)
    chosen = [_named(key)] if key else _all(config)
    if value is not None:
        config = _set(place, config, chosen[0], value)
    if call.json:
        output.say_object(_record(config, chosen))
    elif key:
        output.say(config.in_force(chosen[0].key).text)
    else:
        _show(place, config, chosen)
    return 0


def _refuse_contradictions(key: str | None, *, trust: bool, untrust: bool) -> None:
    if trust and untrust:
        raise UsageError("--trust and --untrust contradict each other")
    if key and (trust or untrust):
        raise UsageError("consent is for all that sideshoot.toml says; leave the key out")


def _named(key: str) -> Setting:
    from sideshoot.config import named  # noqa: PLC0415 - not for --help

    return named(key)


def _all(config: Config) -> list[Setting]:
    """All settings, and of the agents those that something is set for."""
    from sideshoot.config import SETTINGS  # noqa: PLC0415 - not for --help

    return [*SETTINGS, *map(_named, config.agent_keys)]


def _set(place: Place, config: Config, setting: Setting, value: str) -> Config:
    from sideshoot.jobs.settings import change, check  # noqa: PLC0415 - not for --help

    check(config, setting, value)  # before records are made for it
    change(place.store, config, setting, value)
    return place.config(lenient=True, quiet=True)


# -- consent


def _trust(place: Place) -> int:
    from sideshoot.config import consent  # noqa: PLC0415 - not for --help

    items = place.config().untrusted
    consent(place.repository.common_dir, items)
    if place.call.json:
        trusted = [{"key": one.key, "value": one.text, "line": one.line} for one in items]
        output.say_object({"trusted": trusted})
    elif items:
        show_items(items, output.say)
        output.say("in force from now on, as long as it stays as it is")
    else:
        output.say("sideshoot.toml says nothing that needs your consent, or has it")
    return 0


def _withdraw(place: Place) -> int:
    from sideshoot.config import withdraw  # noqa: PLC0415 - not for --help

    count = withdraw(place.repository.common_dir)
    if place.call.json:
        output.say_object({"withdrawn": count})
    else:
        output.say("taken back" if count else "there was no consent to take back")
    return 0


# -- what is shown


def _show(place: Place, config: Config, settings: list[Setting]) -> None:
    rows = [HEADINGS, *(_cells(config, setting) for setting in settings)]
    for line in table(rows, columns=terminal_columns()):
        output.say(line)
    if config.untrusted:
        how = next_command(place.call, "config", "--trust")
        output.say(f"\nnot trusted yet, and so not in force; `{how}` allows it:")
        show_items(config.untrusted, output.say)


def _cells(config: Config, setting: Setting) -> tuple[str, ...]:
    found = config.in_force(setting.key)
    value = cut(show_path(found.text), _WIDEST_VALUE) if found.text not in ("", "[]") else "-"
    waits = " (not trusted yet)" if _waiting(config, setting) else ""
    return (setting.key, value, f"{found.where}{waits}", setting.meaning)


def _record(config: Config, settings: list[Setting]) -> dict[str, Any]:
    shown = [_setting_record(config, setting) for setting in settings]
    waiting = [{"key": one.key, "value": one.text, "line": one.line} for one in config.untrusted]
    return {"settings": shown, "not_trusted": waiting, "warnings": [*config.problems]}


def _setting_record(config: Config, setting: Setting) -> dict[str, Any]:
    found = config.in_force(setting.key)
    return {
        "key": setting.key,
        "value": found.text,
        "from": found.origin.value,
        "file": str(found.file) if found.file else None,
        "line": found.line,
    }


def _waiting(config: Config, setting: Setting) -> bool:
    return any(item.key == setting.key for item in config.untrusted)
