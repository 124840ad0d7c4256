"""The last step before a fenced program, run as a script of its own::

    python -I -S enter.py bubblewrap        -- PROGRAM ARGUMENT…
    python -I -S enter.py landlock PLACE…   -- PROGRAM ARGUMENT…

What was opened for others is closed, signals do again what they do by default, the kernel is asked
for what a process can only ask for itself, and the program takes this one's place. If any of it
fails, the program is not started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

STDERR = 9
"""Under bubblewrap the program's standard error; what bubblewrap says itself goes elsewhere."""

NOT_ENCLOSED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127


def main(argv: list[str]) -> int:
    end = argv.index("--")
    kind, places, program = argv[0], argv[1:end], argv[end + 1 :]
    try:
        if kind == "bubblewrap":
            os.dup2(STDERR, 2)
        _let_go()
        _hold(kind, places)
    except OSError as error:
        return _failed(NOT_ENCLOSED, f"the fence can't be put up: {error.strerror}")
    try:
        os.execvp(program[0], program)
    except FileNotFoundError:
        return _failed(NOT_FOUND, f"there is no program {program[0]!r}")
    except OSError as error:
        return _failed(NOT_EXECUTABLE, f"cannot start {program[0]!r}: {error.strerror}")


def _let_go() -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - pathlib is slow to import
        if int(name) > 2:
            with contextlib.suppress(OSError):  # One of them is the listing's own.
                os.close(int(name))
    # Python itself ignores some, and whoever started us may ignore those meant for the program.
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _hold(kind: str, places: list[str]) -> None:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
    from sideshoot.fence import kernel  # noqa: PLC0415 - only now it can be found

    abi = kernel.landlock_abi()
    if kind == "landlock":
        kernel.end_with_parent()
        kernel.drop_capabilities()
        kernel.hold_files(places, abi=abi)
        kernel.refuse_calls(sockets=True)
        return
    kernel.hold_abstract_sockets(abi=abi)
    if kernel.filters_calls():
        kernel.refuse_calls(sockets=False)


def _failed(status: int, why: str) -> int:
    line = f"sideshoot: {why}\n".encode(errors="backslashreplace")
    os.write(2, line)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
