"""Whether Gemini CLI can be used here, asked of Gemini CLI itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from sideshoot.agents.base import Readiness
from sideshoot.agents.gemini.faults import INSTALL
from sideshoot.agents.gemini.stream import PROGRAM, SETTINGS
from sideshoot.agents.program import version_of
from sideshoot.agents.words import why_silent

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK_S = 30.0


def readiness(environment: Mapping[str, str] | None) -> Readiness:
    """Ask for the version. Gemini CLI does not say whether it is logged in until it has a task."""
    if shutil.which(PROGRAM) is None:
        return Readiness(installed=False, detail="gemini is not on PATH", remedy=INSTALL)
    try:
        version = version_of(
            PROGRAM, timeout_s=_LOOK_S, environment={**(environment or os.environ), **SETTINGS}
        )
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        detail = f"gemini does not answer: {why_silent(error)}"
        return Readiness(installed=True, answers=False, detail=detail, remedy=INSTALL)
    return Readiness(True, version, None, "says whether it is logged in once it has a task")
