"""Start a program inside a fence, as the user that this script runs as; it takes its place."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sideshoot.errors import SideshootError
from sideshoot.fence.enclose import fenced_argv, fenced_environment
from sideshoot.fence.mechanism import Mechanism, try_bubblewrap, try_landlock
from sideshoot.fence.model import Fence, Level


def mechanism_of(name: str, program: str) -> Mechanism:
    if name == "landlock":
        return try_landlock()
    found, reason = try_bubblewrap(Path(program))
    if found is None:
        sys.exit(f"{program}: {reason}")
    return found


def main() -> None:
    told = json.loads(sys.argv[1])
    fence = Fence(
        Level(told["level"]),
        writable=tuple(Path(place) for place in told["writable"]),
        read_only=tuple(Path(place) for place in told["read_only"]),
        readable=tuple(Path(place) for place in told["readable"]),
        temp=Path(told["temp"]) if told["temp"] else None,
    )
    mechanism = mechanism_of(told["mechanism"], told["program"])
    cwd = Path(told["cwd"])
    os.chdir(cwd)
    try:
        argv = fenced_argv(fence, told["argv"], cwd, mechanism=mechanism)
    except SideshootError as error:
        sys.exit(f"refused: {error}")
    os.execvpe(argv[0], argv, fenced_environment(fence, os.environ, mechanism=mechanism))


if __name__ == "__main__":
    main()
