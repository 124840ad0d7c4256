"""Whether a fence may have kept a program from something that it needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.agents.base import EventKind

if TYPE_CHECKING:
    from sideshoot.agents.base import Event

_SAID = {"bubblewrap": "Read-only file system", "landlock": "Permission denied"}
"""What programs say that may not write, by what holds them."""


class Refusals:
    """Listens for the words of a program that was refused something."""

    def __init__(self, kind: str) -> None:
        self._words = _SAID[kind]
        self._heard = False

    def saw(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind is EventKind.OUTPUT and self._words in str(event.data.get("text", "")):
            self._heard = True

    def report(self) -> list[str]:
        """What a user of a program that failed has to know."""
        if not self._heard:
            return []
        return [
            (
                f'the fence may be why it failed, as it was told "{self._words}": it writes in its '
                "workspace alone (--sandbox off takes the fence away)"
            )
        ]
