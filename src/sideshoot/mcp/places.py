"""The repository that a call acts in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.cli.command import Call
from sideshoot.cli.place import Place, open_place
from sideshoot.errors import NotARepository
from sideshoot.mcp.folders import chosen_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.mcp.exchange import Exchange


def place_of(exchange: Exchange, given: Mapping[str, Any], *, only_to_look: bool = False) -> Place:
    """The repository of the folder that a call names or means; see `open_place` for what is raised."""
    named = given.get("folder")
    # A folder that is named in full spares the client the question.
    roots = () if named and Path(named).is_absolute() else exchange.roots()
    folder = chosen_folder(named, roots, _here())
    return open_place(
        Call(folder=folder, json=True, named=True, dashed=None), only_to_look=only_to_look
    )


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotARepository(
            "the folder that the server was started in was deleted; give another as `folder`"
        ) from None
