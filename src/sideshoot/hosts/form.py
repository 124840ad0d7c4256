"""What both forms of settings files, JSON with comments and TOML, can do."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

Place: TypeAlias = tuple[str, ...]
"""The names that lead to a value, from the outside in."""


class Unreadable(Exception):
    """The text is not what its form asks for; says why in a few words."""


class Form(Protocol):
    """Reads and changes a text, and leaves alone all but what it is asked for."""

    def load(self, text: str) -> Any:
        """What the text says.

        :raises Unreadable: it is broken.
        """

    def put(self, text: str, place: Place, value: Any) -> str:
        """The text with a value that was not there.

        :raises Unreadable: it is broken, or has no room for that.
        """

    def remove(self, text: str, place: Place) -> str:
        """The text without a value.

        :raises Unreadable: it is broken.
        """
