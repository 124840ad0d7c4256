"""Start bubblewrap and stay beside it, run as a script of its own::

    python -I -S launch.py SHOWN… -- BWRAP OPTION… -- OPTION… PROGRAM ARGUMENT…

The sockets of other programs are looked up at the last moment and covered between the two groups
of options, those that lie in a place of which the program gets its own only below `SHOWN`. One that
is gone by the time that bubblewrap gets to it can't be covered, and bubblewrap gives up; then all
is done once more.

Bubblewrap would also end at the first signal to the group, and all that is in there with it at
once. Signals are ignored here and so by bubblewrap; the program inside takes them as it likes (see
`enter`). Bubblewrap ends with this process, and all that runs inside with bubblewrap.
"""

from __future__ import annotations

import os
import signal
import sys

_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
_TRIES = 100


def main(argv: list[str]) -> int:
    sys.path.insert(0, _PACKAGES)
    from sideshoot.fence import enter, kernel, sockets  # noqa: PLC0415 - only now they can be found

    for name in _PASSED_ON:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    kernel.end_with_parent()
    end = argv.index("--")
    middle = argv.index("--", end + 1)
    shown, before, after = argv[:end], argv[end + 1 : middle], argv[middle + 1 :]
    os.dup2(2, enter.STDERR, inheritable=True)
    for _ in range(_TRIES):
        covered = sockets.sockets_to_cover(shown)
        covers = [word for path in covered for word in ("--ro-bind", "/dev/null", path)]
        status, complaint = _run([*before, *covers, *after])
        if not any(os.fsencode(path) in complaint for path in covered):
            break
    os.write(2, complaint)
    return status


def _run(argv: list[str]) -> tuple[int, bytes]:
    """Run bubblewrap; its exit status, and what it said itself, which is why it gave up."""
    reading, writing = os.pipe()
    quietly = [(os.POSIX_SPAWN_DUP2, writing, 2)]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=quietly)
    os.close(writing)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    # It has ended, but what ran inside may take a moment longer to end, and holds the other end.
    os.set_blocking(reading, False)
    complaint = _content(reading)
    os.close(reading)
    return status if status >= 0 else 128 - status, complaint


def _content(reading: int) -> bytes:
    try:
        return os.read(reading, 65536)
    except BlockingIOError:
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
