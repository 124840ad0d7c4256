"""Start a program, and end it with every process that it started.

A process is the program's if any of these holds, so that neither `setsid`, a double fork nor a
cleaned environment hides it:

- it descends from the program, or did when we last looked;
- it carries the job's marker, a variable that the program was started with;
- its parents died and the kernel gave it to this process (see `sideshoot.agents.adoption`).

What this process started otherwise is never touched: another program, a git call, whatever the
caller had running before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from sideshoot.agents.adoption import ADOPTION
from sideshoot.agents.census import census, descendants, environment_of, start_of
from sideshoot.agents.ending import (
    MARKER,
    end_marked,
    interrupt_group,
    kill,
    mark,
    terminate,
    wait_until,
)
from sideshoot.errors import AgentUnavailable
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sideshoot.agents.census import Process

__all__ = ["AT_ONCE", "LEFTOVERS", "MARKER", "POLITE", "Graces", "Tree", "end_marked"]


@dataclass(frozen=True, slots=True)
class Graces:
    """How long each step of an end may take, in seconds; zero leaves a polite step out."""

    interrupt_s: float = 2.0
    """For the program, after what Ctrl-C would send."""
    terminate_s: float = 3.0
    """For all that is left."""
    kill_s: float = 10.0
    """For the kernel to take away what was killed."""


POLITE = Graces()
LEFTOVERS = Graces(interrupt_s=0.0, terminate_s=1.0)
"""For what a program left running after its own end."""
AT_ONCE = Graces(interrupt_s=0.0, terminate_s=0.0)


class Tree:
    """A program in a session of its own, and all that it started.

    As a context manager it ends the whole of it on every way out.
    """

    def __init__(self, process: subprocess.Popen[bytes], marker: bytes | None) -> None:
        self.process = process
        self._marker = marker
        self._began = start_of(process.pid)
        self._seen: dict[int, float] = {}
        self._ending = threading.Lock()
        self._is_gone = False

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> Tree:
        """Start `argv` in `folder`, without a shell.

        :param environment: all of its variables; with `MARKER` among them leftovers are known.
        :raises AgentUnavailable: it is not there, or may not be executed.
        """
        ADOPTION.begin()
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            ADOPTION.end()
            raise AgentUnavailable(_why_not(argv, folder, error)) from None
        ADOPTION.programs.add(process.pid)
        job_id = environment.get(MARKER)
        return cls(process, mark(job_id) if job_id else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(LEFTOVERS if kind is None else POLITE)

    def when_over(self, callback: Callable[[], object]) -> None:
        """Call back, from another thread, once the program itself has ended."""

        def wait() -> None:
            self.process.wait()
            callback()

        threading.Thread(target=wait, daemon=True, name="program").start()

    @property
    def over(self) -> bool:
        """Whether the program itself has ended; what it started may go on."""
        return self.process.poll() is not None

    def end(self, graces: Graces = POLITE) -> tuple[int, ...]:
        """Interrupt, terminate, kill; return once nothing is left, with the pids that would not go.

        An exception in a polite step, such as a second Ctrl-C, goes straight to the last one.
        """
        with self._ending:
            if self._is_gone:
                return ()
            try:
                self._ask(graces)
            finally:
                left = self._kill(graces.kill_s)
            self._is_gone = not left
        return left

    def _ask(self, graces: Graces) -> None:
        if graces.interrupt_s and not self.over:
            interrupt_group(self.process.pid)
            wait_until(lambda: self.over, graces.interrupt_s)
        terminate(self._alive, graces.terminate_s)

    def _kill(self, limit_s: float) -> tuple[int, ...]:
        left = kill(self._alive, limit_s)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(limit_s if not left else 0)
        if self.process.pid in ADOPTION.programs:
            ADOPTION.end(self.process.pid)
        return left

    def _alive(self) -> list[Process]:
        """What runs of this tree; whoever of it has ended and came to us is reaped."""
        processes = census()
        mine = descendants(processes, self._roots(processes.values()))
        self._seen |= {pid: processes[pid].started for pid in mine}
        self._reap()
        return [processes[pid] for pid in mine if not processes[pid].zombie]

    def _roots(self, processes: Iterable[Process]) -> set[int]:
        """Where the walk begins."""
        # Times are counted in hundredths of a second; within one, pids rise.
        younger = (it for it in processes if (it.started, it.pid) > (self._began, self.process.pid))
        found = {
            it.pid for it in younger if self._known(it) or self._adopted(it) or self._marked(it)
        }
        return found if self.over else found | {self.process.pid}

    def _known(self, process: Process) -> bool:
        return self._seen.get(process.pid) == process.started

    def _marked(self, process: Process) -> bool:
        return self._marker is not None and self._marker in environment_of(process.pid)

    def _adopted(self, process: Process) -> bool:
        """Whether this is an orphan of the program's.

        What we started ourselves is in our session, or is another program, or has all of our
        environment; an orphan that lost the marker has been through somebody who cleans it.
        """
        if process.parent != os.getpid() or process.session == os.getsid(0):
            return False
        if process.pid in ADOPTION.programs:
            return False
        if process.session == self.process.pid:
            return True
        if process.zombie:
            return process.session != process.pid  # a child of ours would lead that session
        variables = environment_of(process.pid)
        if any(entry.startswith(mark("")) for entry in variables):
            return self._marker in variables
        return not variables.issuperset(_our_environment())

    def _reap(self) -> None:
        for pid in [pid for pid in self._seen if pid != self.process.pid]:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self._seen[pid]


def _our_environment() -> frozenset[bytes]:
    return frozenset(name + b"=" + value for name, value in os.environb.items())


def _why_not(argv: Sequence[str], folder: Path, error: OSError | ValueError) -> str:
    program = show_path(argv[0]) if argv else ""
    if isinstance(error, ValueError):
        return f"cannot start {program!r}: an argument holds a NUL byte"
    if error.filename is not None and os.fsencode(error.filename) == os.fsencode(folder):
        return f"cannot start {program!r}: the folder {show_path(folder)} is not there"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"cannot start {program!r}: there is no such program; check its name and PATH"
    if error.errno in (errno.EACCES, errno.ENOEXEC):
        return f"cannot start {program!r}: it is not executable; `chmod +x` it, or name its interpreter"
    return f"cannot start {program!r}: {error.strerror}"
