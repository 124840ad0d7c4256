"""The files that settings come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.config import Config, load

if TYPE_CHECKING:
    from pathlib import Path


class Sources:
    """The files of a user and a repository."""

    def __init__(self, home: Path, top: Path) -> None:
        self.own = home / ".config" / "sideshoot" / "config.toml"
        self.own.parent.mkdir(parents=True)
        self.top = top
        self.repository = top / ".git"
        self.repository.mkdir(parents=True)
        self.stored: dict[str, str] = {}

    def say(self, own: str = "", theirs: str = "", **stored: str) -> Config:
        self.own.write_text(own)
        (self.top / "sideshoot.toml").write_text(theirs)
        return load(
            self.top,
            repository=self.repository,
            stored={key.replace("__", "."): value for key, value in stored.items()},
        )
