"""What will be changed for a host: shown first, then done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """What a file holds, and what it will hold; `None` means that there is no file."""

    file: Path
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that will be done for one host, or why there is nothing to do."""

    host: str
    summary: str
    """One line."""
    changes: tuple[Change, ...] = ()
    folder: Path | None = None
    """A folder of Sideshoot's own that is filled, or goes."""
    commands: tuple[tuple[str, ...], ...] = ()
    """What is run."""
    act: Callable[[], None] | None = field(default=None, compare=False)
    """Does it; `None` where there is nothing to do."""
    note: str = ""
    """What the user has to know afterwards."""


class Host(Protocol):
    """A program that can call Sideshoot."""

    @property
    def name(self) -> str:
        """As the user names it."""

    def is_installed(self) -> bool:
        """Whether it can call Sideshoot; nothing is started to find out.

        :raises SideshootError: its file is broken.
        """

    def install(self) -> Plan:
        """What makes Sideshoot known to it.

        :raises SideshootError: that can't be done; nothing was changed.
        """

    def uninstall(self) -> Plan:
        """What takes exactly that back.

        :raises SideshootError: that can't be done; nothing was changed.
        """
