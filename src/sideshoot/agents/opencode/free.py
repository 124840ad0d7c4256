"""Models of OpenCode's own provider that cost nothing."""

from __future__ import annotations

import re
import shutil
import subprocess

from sideshoot.agents.opencode.faults import INSTALL
from sideshoot.agents.opencode.server import PROGRAM
from sideshoot.errors import AgentUnavailable

_LIMIT_S = 60.0
_IS_FREE = re.compile(r"opencode/\S+(?:-free|:free)")


def free_models() -> list[str]:
    """Their names, as `opencode models` lists them.

    :raises AgentUnavailable: OpenCode is missing, or does not answer.
    """
    if shutil.which(PROGRAM) is None:
        raise AgentUnavailable(f"opencode is not installed; run `{INSTALL}`")
    try:
        done = subprocess.run(
            [PROGRAM, "models"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        raise AgentUnavailable("`opencode models` gives no answer") from None
    lines = done.stdout.decode(errors="replace").splitlines()
    return [line.strip() for line in lines if _IS_FREE.fullmatch(line.strip())]
