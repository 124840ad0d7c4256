"""Whether Codex can be used here, asked of Codex itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents.base import Readiness
from sideshoot.agents.codex.faults import INSTALL, LOG_IN
from sideshoot.agents.codex.server import PROGRAM, Server
from sideshoot.agents.codex.turn import Turn
from sideshoot.agents.program import ANSWER_S, version_of
from sideshoot.agents.rpc import Refused, RpcFailure
from sideshoot.agents.words import why_silent
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.agents.base import Stop

_LOOK_S = 30.0


def readiness(environment: Mapping[str, str] | None) -> Readiness:
    """Ask for the version, and for the login that the configured provider needs."""
    if shutil.which(PROGRAM) is None:
        return Readiness(installed=False, detail="codex is not on PATH", remedy=INSTALL)
    try:
        version = version_of(PROGRAM, timeout_s=_LOOK_S, environment=environment)
        logged_in = _ask_for_login(environment or os.environ)
    except (AgentUnavailable, RpcFailure, OSError, subprocess.SubprocessError) as error:
        detail = f"codex does not answer: {why_silent(error)}"
        return Readiness(installed=True, answers=False, detail=detail, remedy=INSTALL)
    detail = "logged in, or needs no login" if logged_in else "not logged in"
    return Readiness(True, version, logged_in, detail, "" if logged_in else LOG_IN)


def _ask_for_login(environment: Mapping[str, str]) -> bool:
    listener = Turn(lambda _: None, Path.home())
    with Server.start(listener, folder=Path.home(), environment=environment) as server:
        server.initialize(timeout_s=_LOOK_S)
        return is_logged_in(server, environment, timeout_s=_LOOK_S)


def is_logged_in(
    server: Server,
    environment: Mapping[str, str],
    *,
    timeout_s: float = ANSWER_S,
    stop: Stop | None = None,
) -> bool:
    """Whether there is an account, or the provider needs none. Codex itself knows.

    :param environment: what the server was started in.
    """
    if environment.get("CODEX_API_KEY"):
        return True
    parameters = {"refreshToken": False}
    try:
        account = server.call("account/read", parameters, timeout_s=timeout_s, stop=stop)
    except Refused:  # it does not say; the first request to the model will
        return True
    return account.get("account") is not None or not account.get("requiresOpenaiAuth", False)
