"""The hosts by the names that `setup --install` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.hosts.claude import Claude
from sideshoot.hosts.servers import codex, cursor, gemini
from sideshoot.hosts.worktrees import worktrees

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.hosts.plan import Host

HOSTS: dict[str, Callable[[], Host]] = {
    "claude": Claude,
    "claude-worktrees": worktrees,
    "codex": codex,
    "gemini": gemini,
    "cursor": cursor,
}
