"""Ask on a terminal for what a repository's file needs the user's consent for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import click

from sideshoot.cli import output
from sideshoot.errors import ConsentNeeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.cli.place import Place
    from sideshoot.config import Item

_Answer = TypeVar("_Answer")


def consented(place: Place, act: Callable[[], _Answer]) -> _Answer:
    """Do something; where it needs consent and a person is there, ask for it and do it again.

    :raises ConsentNeeded: nobody is there, or they said no.
    """
    try:
        return act()
    except ConsentNeeded:
        if not _is_anybody_there(place) or not _asked(place):
            raise
    return act()


def show_items(items: tuple[Item, ...], write: Callable[[str], None] = output.note) -> None:
    """Each item in full, on lines of its own, with where it stands."""
    for item in items:
        line = output.styled(f"  # line {item.line}" if item.line else "", "dim", sys.stderr)
        write(f"  {item.shown}{line}")


def _is_anybody_there(place: Place) -> bool:
    on_terminal = output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)
    return on_terminal and not place.call.json


def _asked(place: Place) -> bool:
    from sideshoot.config import consent  # noqa: PLC0415 - rare

    items = place.config().untrusted
    output.note("sideshoot.toml of this repository wants to set what needs your consent:")
    show_items(items)
    output.note("Commands run with all your rights, outside of any copy.")
    if not click.confirm("Allow this from now on, as long as it stays as it is?", err=True):
        return False
    consent(place.repository.common_dir, items)
    return True
