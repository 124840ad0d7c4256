"""Run in a new workspace what its project needs before anybody can work there (`workspace.setup`)."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.agents.base import Event, EventKind, Stop, StopReason
from sideshoot.agents.command import CommandAgent
from sideshoot.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sideshoot.agents.base import AgentResult, Task
    from sideshoot.workspace.place import Workspace

_DONE = "sideshoot-set-up"


def set_up(
    task: Task,
    workspace: Workspace,
    commands: Sequence[str],
    *,
    tell: Callable[[Event], None],
    stop: Stop,
    limit_s: float | None,
) -> None:
    """Run the commands in the top folder of the workspace, one after another, once.

    They run as the agent will: with its variables, and inside its fence. All that they print goes to
    the log, as of standard error.

    :param task: the agent's.
    :param limit_s: how long all of them together may take, in seconds; `None` means no limit.
    :raises CannotStart: one failed; the agent is not to be started.
    """
    done = workspace.git_dir / _DONE
    if not commands or done.exists():
        return
    tell(Event(EventKind.PHASE, {"name": "setting up"}))
    own = Stop()
    stop.on_request(lambda: own.request(stop.reason or StopReason.CANCELLED))
    watch = threading.Timer(limit_s or 0.0, own.request, (StopReason.TIMED_OUT,))
    if limit_s is not None:
        watch.start()
    try:
        for command in commands:
            _run(task, command, tell, own)
            if stop.requested:
                return
    finally:
        watch.cancel()
    done.touch()


def _run(task: Task, command: str, tell: Callable[[Event], None], stop: Stop) -> None:
    words = ("/bin/sh", "-c", command)
    job = replace(task, command=words, prompt="", folder=task.top, thread_id=None)
    tell(Event(EventKind.COMMAND, {"command": command, "status": "started"}))
    result = CommandAgent().run(job, lambda event: tell(_as_setup(event)), stop)
    facts = {"command": command, "status": "finished", "exit_status": result.exit_code}
    tell(Event(EventKind.COMMAND, facts))
    if stop.reason is StopReason.TIMED_OUT:
        raise _failed(command, "it took longer than workspace.setup_timeout")
    if not result.succeeded and not stop.requested:
        raise _failed(command, _why(result))


def _as_setup(event: Event) -> Event:
    # Standard output is the agent's answer.
    if event.kind is not EventKind.OUTPUT:
        return event
    return replace(event, data={**event.data, "stream": "stderr"}, source="setup")


def _why(result: AgentResult) -> str:
    last = result.message.strip().splitlines()[-1:]
    return ": ".join([result.error or "it failed", *last])


def _failed(command: str, why: str) -> CannotStart:
    return CannotStart(
        f"the agent was not started, since `{command}` of workspace.setup failed: {why}; mend it in "
        "sideshoot.toml or in what it needs, and run the job again"
    )
