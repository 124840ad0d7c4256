"""Hooks that have `claude --worktree` work in a copy of Sideshoot's.

They stand in the user's settings, not in the plugin: Claude Code 2.1.197 does not ask a plugin for the copy
of a session. And they are for those who ask for them: once such a hook is there, it is the only one that
makes copies, and an answer of none ends the session.
"""

from __future__ import annotations

from typing import Any

from sideshoot.hosts import jsonc
from sideshoot.hosts.claude import settings_file
from sideshoot.hosts.program import as_shell, program
from sideshoot.hosts.registration import Entry, Registration

EVENTS = {"WorktreeCreate": "worktree-create", "WorktreeRemove": "worktree-remove"}

LIMIT_S = 1800
"""Claude Code waits so long; a project may have to be set up in the copy."""


def worktrees() -> Registration:
    """In `settings.json` of Claude Code."""
    return Registration(
        name="claude-worktrees",
        title="Claude Code",
        file=settings_file(),
        form=jsonc,
        entries=tuple(Entry(("hooks", event), _hook(word)) for event, word in EVENTS.items()),
        is_ours=_is_ours,
        works=lambda value: False,  # noqa: ARG005 - what is not ours is somebody else's
        what="the hooks for --worktree",
        note="`claude --worktree` works in a copy of Sideshoot's from now on",
    )


def _hook(word: str) -> list[Any]:
    command = f"{as_shell(program())} hook {word}"
    return [{"hooks": [{"type": "command", "command": command, "timeout": LIMIT_S}]}]


def _is_ours(value: Any) -> bool:
    """Whether all that is called at such an event is Sideshoot."""
    try:
        commands = [hook["command"] for group in value for hook in group["hooks"]]
        ends = [command.split()[-2:] for command in commands]
    except (TypeError, KeyError, AttributeError):
        return False
    ours = [["hook", word] for word in EVENTS.values()]
    return bool(ends) and all(end in ours for end in ends)
