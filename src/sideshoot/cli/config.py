"""`sideshoot config`: what is set for this repository, and where from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import table, terminal_columns
from sideshoot.cli.command import Command
from sideshoot.cli.place import open_place
from sideshoot.jobs.settings import SETTINGS, InForce, change, check, in_force, named

if TYPE_CHECKING:
    from sideshoot.cli.command import Call

EXAMPLES = """\
sideshoot config
sideshoot config run.timeout 2h
sideshoot config notify.command 'say "$SIDESHOOT_ENDED_TITLE"'
sideshoot config run.timeout default"""

HELP = """Show what is set for this repository; with KEY one value, with VALUE set it.

The value `default` takes a setting back; `off` means no limit. What is set for `run` counts where its
option is not given.
"""

HEADINGS = ("KEY", "VALUE", "FROM", "MEANING")


@click.command("config", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("key", required=False, metavar="[KEY")
@click.argument("value", required=False, metavar="[VALUE]]")
def command(call: Call, key: str | None, value: str | None) -> int:
    place = open_place(call)
    chosen = [named(key)] if key else [*SETTINGS]
    if value is not None:
        check(chosen[0], value)  # before records are made for it
        change(place.store, chosen[0], value)
    found = [in_force(place.records, setting) for setting in chosen]
    if call.json:
        output.say_object({"settings": [_record(one) for one in found]})
    elif key:
        output.say(found[0].value)
    else:
        for line in table([HEADINGS, *map(_cells, found)], columns=terminal_columns()):
            output.say(line)
    return 0


def _cells(found: InForce) -> tuple[str, ...]:
    return (found.setting.key, found.value or "-", _origin(found), found.setting.meaning)


def _record(found: InForce) -> dict[str, Any]:
    return {"key": found.setting.key, "value": found.value, "from": _origin(found)}


def _origin(found: InForce) -> str:
    return "this repository" if found.is_set else "default"
