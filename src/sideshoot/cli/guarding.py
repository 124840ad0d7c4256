"""What `sideshoot hook pre-tool-use` does: the guard that keeps a host from starting other agents bare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.errors import NotARepository
from sideshoot.hosts.guard import bare_agent, reason

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.cli.hook import HostEvent


def before_tool(event: HostEvent) -> dict[str, Any] | None:
    """Whether a command of the host's agent may be run; `None` if there is nothing against it."""
    command = _command(event)
    agent = bare_agent(command) if command else None
    if agent is None or not _is_on(event.folder):
        return None
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason(agent),
        }
    }


def _command(event: HostEvent) -> str | None:
    given = event.facts.get("tool_input")
    if event.text("tool_name") != "Bash" or not isinstance(given, dict):
        return None
    command = given.get("command")
    return command if isinstance(command, str) else None


def _is_on(folder: Path) -> bool:
    from sideshoot.config import load  # noqa: PLC0415 - few commands start an agent
    from sideshoot.git import discover  # noqa: PLC0415 - the same
    from sideshoot.jobs.settings import load_config  # noqa: PLC0415 - the same
    from sideshoot.jobs.store import Store  # noqa: PLC0415 - the same

    try:
        repository = discover(folder, only_to_look=True)
    except NotARepository:
        return bool(load(lenient=True).value("guard.enabled"))
    has_records = repository.state_dir.exists()
    store = Store.open(repository.state_dir) if has_records else None
    return bool(load_config(repository, store, lenient=True).value("guard.enabled"))
