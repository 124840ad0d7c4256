"""Ask an agent one thing about the user's tree: no job, no record, no conversation that stays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import AgentResult, Stop, StopReason, Task
from sideshoot.agents.ending import MARKER, end_marked
from sideshoot.jobs.create import prepared
from sideshoot.jobs.ids import new_job_id
from sideshoot.jobs.limits import Limits
from sideshoot.jobs.store import Store
from sideshoot.jobs.task import LOOKING
from sideshoot.jobs.work import ignore
from sideshoot.model import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event
    from sideshoot.git import Repository

_GRACE_S = 5.0
"""How long it may take to stop before its processes are ended without it."""


def ask_once(
    repository: Repository,
    prompt: str,
    *,
    agent: str,
    timeout_s: float,
    model: str | None = None,
    effort: str | None = None,
    schema: Mapping[str, Any] | None = None,
    emit: Callable[[Event], None] = ignore,
    stop: Stop | None = None,
) -> AgentResult:
    """Let an agent look at the user's tree, and return what it says, once no process of it is left.

    It may change nothing, and nothing of it can be gone on with.

    :param timeout_s: after so many seconds it is ended; that is a result without success.
    :param schema: the JSON Schema of the answer, for agents that can hold a model to one.
    :param emit: hears its events; by any thread, one at a time.
    :param stop: ends it when it is requested.
    :raises AgentUnavailable: it can't start, or nobody knows it.
    :raises BadConfiguration, ConsentNeeded: what is set for it can't be, or needs consent.
    """
    stop = stop or Stop()
    store = Store.open(repository.state_dir) if repository.state_dir.exists() else None
    asked = Request(agent, model=model, effort=effort, timeout_s=timeout_s)
    who, asked = prepared(repository, store, asked)
    mark = new_job_id()  # no job has it: it only marks the processes
    task = Task(
        prompt=prompt,
        command=(),
        folder=repository.top,
        top=repository.top,
        read_only=True,
        ephemeral=True,
        model=model,
        effort=effort,
        output_schema=schema,
        environment={**asked.environment, MARKER: mark, **LOOKING},
        checkout=repository.top,
    )
    with Limits(asked, stop, partial(end_marked, mark), grace_s=_GRACE_S):
        result = who.run(task, emit, stop)
    if stop.reason is StopReason.TIMED_OUT and not result.succeeded:
        return AgentResult(False, error=f"{agent} did not answer within {timeout_s:g} seconds")
    return result
