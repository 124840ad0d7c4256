"""Ask on a terminal for what a repository's file needs the user's consent for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import click

from sideshoot.cli import output
from sideshoot.errors import CannotStart, ConsentNeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sideshoot.cli.place import Place
    from sideshoot.config import Item

_Answer = TypeVar("_Answer")


def consented(place: Place, act: Callable[[], _Answer]) -> _Answer:
    """Do something; where it needs consent and a person is there, ask for it and do it again.

    :raises ConsentNeeded: nobody is there.
    :raises CannotStart: they said no.
    """
    try:
        return act()
    except ConsentNeeded:
        if not _is_anybody_there(place):
            raise
    _ask(place)
    return act()


def show_items(items: Iterable[Item], write: Callable[[str], None] = output.note) -> None:
    """All of each item, and where it stands."""
    for item in items:
        write(f"  {item.key}" + (f" (line {item.line})" if item.line else ""))
        for part in item.parts:
            write(f"    {part}")


def _is_anybody_there(place: Place) -> bool:
    on_terminal = output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)
    return on_terminal and not place.call.json


def _ask(place: Place) -> None:
    from sideshoot.config import consent  # noqa: PLC0415 - rare

    items = place.config().untrusted
    output.note("This repository's sideshoot.toml wants something that needs your consent:")
    show_items(items)
    output.note("Commands in it run with your rights.")
    if not click.confirm("Allow this, as long as it stays as it is?", err=True):
        raise CannotStart("you did not consent to what sideshoot.toml wants, so nothing was begun")
    consent(place.repository.common_dir, items)
