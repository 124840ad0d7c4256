"""The agent that is any program: it does what its argument list says."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from sideshoot.agents.base import AgentResult, Grants, Readiness
from sideshoot.agents.output import Pump
from sideshoot.agents.process import LEFTOVERS, POLITE, Graces, Tree
from sideshoot.agents.surroundings import enclosed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Reviewing, Stop, Task
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Level

_LAST_WORDS_S = 5.0


class CommandAgent:
    """Runs a program, without a shell; its output is its answer and its exit status the judgement."""

    name = "command"
    has_modes = False
    sandboxed = False
    reviewing: Reviewing | None = None

    def __init__(self, graces: Graces = POLITE) -> None:
        self._graces = graces

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:  # noqa: ARG002 - as every agent's
        """Always there; whether the program is shows when it is started."""
        return Readiness(installed=True)

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:  # noqa: ARG002 - as every agent's
        """Nothing: a command has no state that we know of."""
        return Grants()

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Run `task.command`; `task.prompt`, if any, is its standard input.

        :raises AgentUnavailable: there is no such program, or it may not be executed.
        """
        argv, environment = enclosed(task, task.command)
        tree = Tree.start(
            argv,
            folder=task.folder,
            environment=environment,
            stdin=subprocess.PIPE if task.prompt else subprocess.DEVNULL,
        )
        settled = threading.Event()
        pump = Pump(emit, on_failure=settled.set)
        with tree:
            self._connect(tree, pump, task)
            tree.when_over(settled.set)
            stop.on_request(settled.set)
            settled.wait()
            stopped = not tree.over
            tree.end(self._graces if stopped else LEFTOVERS)
        pump.finish(_LAST_WORDS_S)
        result = _result(tree.process.returncode, pump.tail.text, stop if stopped else None)
        return result if task.fence is None else _with_signal(result)

    def _connect(self, tree: Tree, pump: Pump, task: Task) -> None:
        process = tree.process
        assert process.stdout is not None
        assert process.stderr is not None
        pump.read(process.stdout, "stdout")
        pump.read(process.stderr, "stderr")
        if process.stdin is not None:
            _feed(process.stdin, task.prompt.encode("utf-8", "surrogateescape"))


def _feed(stdin: IO[bytes], content: bytes) -> None:
    """Write in a thread: a program may print before it reads, or never read at all."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), stdin:
            stdin.write(content)

    threading.Thread(target=write, daemon=True, name="stdin").start()


def _result(status: int | None, message: str, stop: Stop | None) -> AgentResult:
    exit_code = None if status is None else status if status >= 0 else 128 - status
    error = _why(status) if stop is None else f"stopped: {stop.reason}"
    return AgentResult(error is None, exit_code=exit_code, message=message, error=error)


def _with_signal(result: AgentResult) -> AgentResult:
    """A fence, like a shell, gives 128 and the signal's number where a signal ended the program."""
    number = (result.exit_code or 0) - 128
    if result.error != f"exit status {result.exit_code}" or not 0 < number <= signal.SIGRTMAX:
        return result
    return replace(result, error=f"{result.error} (so {signal_name(number)} may have ended it)")


def _why(status: int | None) -> str | None:
    if status == 0:
        return None
    if status is None:
        return "did not end"
    if status > 0:
        return f"exit status {status}"
    return f"ended by {signal_name(-status)}"


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; `signal 40` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
