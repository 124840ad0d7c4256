"""Whether Claude Code can be used here, asked of Claude Code itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Readiness
from sideshoot.agents.claude.control import PROGRAM, without_other_session
from sideshoot.agents.claude.faults import INSTALL, LOG_IN
from sideshoot.agents.words import why_silent

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK_S = 30.0


def readiness(environment: Mapping[str, str] | None) -> Readiness:
    """Ask for the version, and whether there is a login."""
    if shutil.which(PROGRAM) is None:
        return Readiness(installed=False, detail="claude is not on PATH", remedy=INSTALL)
    environment = without_other_session(dict(environment or os.environ))
    try:
        version = _ask(environment, "--version", check=True).split()[0]
        logged_in = _read_login(_ask(environment, "auth", "status", "--json"))
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        detail = f"claude does not answer: {why_silent(error)}"
        return Readiness(installed=True, answers=False, detail=detail, remedy=INSTALL)
    if logged_in is None:
        return Readiness(True, version, None, "did not say whether it is logged in")
    detail = "logged in" if logged_in else "not logged in"
    return Readiness(True, version, logged_in, detail, "" if logged_in else LOG_IN)


def _ask(environment: Mapping[str, str], *arguments: str, check: bool = False) -> str:
    done = subprocess.run(
        [PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LOOK_S,
        env=environment,
        check=check,
    )
    return done.stdout.decode(errors="replace")


def _read_login(said: str) -> bool | None:
    """`None` from a version that knows no such question."""
    try:
        facts: Any = json.loads(said)
    except ValueError:
        return None
    logged_in = facts.get("loggedIn") if isinstance(facts, dict) else None
    return logged_in if isinstance(logged_in, bool) else None


def is_logged_in(account: Any) -> bool:
    """What the `account` says that Claude Code begins a conversation with; true if nothing."""
    facts = account if isinstance(account, dict) else {}
    sources = [facts[key] for key in ("tokenSource", "apiKeySource") if key in facts]
    elsewhere = facts.get("apiProvider") not in (None, "firstParty")
    return elsewhere or not sources or any(source != "none" for source in sources)
