"""Whether OpenCode can be used here, asked of OpenCode itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Readiness
from sideshoot.agents.opencode.faults import INSTALL, LOG_IN
from sideshoot.agents.opencode.server import PROGRAM, Server, command
from sideshoot.agents.program import version_of
from sideshoot.agents.rpc import RpcFailure
from sideshoot.agents.words import why_silent
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK_S = 30.0


def readiness(environment: Mapping[str, str] | None) -> Readiness:
    """Ask for the version, and for the providers that it has a key for or that need none."""
    if shutil.which(PROGRAM) is None:
        return Readiness(installed=False, detail="opencode is not on PATH", remedy=INSTALL)
    try:
        version = version_of(PROGRAM, timeout_s=_LOOK_S, environment=environment)
        providers = _ask_for_providers(environment or os.environ)
    except (AgentUnavailable, RpcFailure, OSError, subprocess.SubprocessError) as error:
        detail = f"opencode does not answer: {why_silent(error)}"
        return Readiness(installed=True, answers=False, detail=detail, remedy=INSTALL)
    detail = f"providers: {', '.join(providers)}" if providers else "no provider is set up"
    return Readiness(True, version, bool(providers), detail, "" if providers else LOG_IN)


def _ask_for_providers(environment: Mapping[str, str]) -> list[str]:
    folder = Path.home()
    with Server.start(command(), folder=folder, environment=environment) as server:
        client = server.connect(folder, timeout_s=_LOOK_S)
        answer = client.get("/config/providers", timeout_s=_LOOK_S) or {}
        server.close()
    return sorted(str(it.get("id")) for it in answer.get("providers") or [])
