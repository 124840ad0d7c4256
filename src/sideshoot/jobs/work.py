"""The work on a job, from its beginning to its end; the same in the foreground and in the background.

Whatever happens, what the agent left is saved before the job is called finished. The record is always
ahead of what is done, so that a worker that dies at any point leaves behind a record from which the
next command knows what to save and what to clean (`sideshoot.jobs.recover`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import Event, EventKind, Stop, StopReason
from sideshoot.boot import boot_id
from sideshoot.errors import AgentUnavailable, CannotStart, SideshootError
from sideshoot.jobs.claims import holding
from sideshoot.jobs.control import CANCEL, Control
from sideshoot.jobs.events import EventLog
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.identity import started_at
from sideshoot.jobs.interrupts import WORDS, Interrupts, shielded
from sideshoot.jobs.limits import Limits, limit_passed
from sideshoot.jobs.place import NO_WORKSPACE, workspace_of
from sideshoot.jobs.ports import reserved_ports
from sideshoot.jobs.store import Store
from sideshoot.model import Job, Outcome, State
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.agents.base import AgentResult, Task
    from sideshoot.git import Repository
    from sideshoot.jobs.leaks import LeakWatch
    from sideshoot.jobs.refusals import Refusals
    from sideshoot.jobs.saving import Saved


def ignore(_: Event) -> None:
    """What is called for events by default."""


def work(repository: Repository, job_id: str, *, on_event: Callable[[Event], None] = ignore) -> Job:
    """Do a job, and return it finished.

    :param on_event: called for each event as it is logged; by any thread, by one at a time.
    :raises WrongState: the job is not queued, or has a worker already.
    :raises SideshootError: the agent could not start at all; the job is finished and says so.
    """
    store = Store.open(repository.state_dir)
    folder = JobFolder(repository.state_dir, store.get(job_id).id)
    with holding(folder), _log_of(folder) as log:
        return _Worker(repository, store, folder, _Teller(log, on_event)).run()


def _log_of(folder: JobFolder) -> EventLog:
    try:
        return EventLog(folder.events)
    except OSError as error:
        raise CannotStart(f"can't write {folder.events}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _End:
    """How the agent's part of a job ended."""

    outcome: Outcome
    error: str | None = None
    result: AgentResult | None = None
    raised: BaseException | None = None
    """What the caller has to hear once the job is finished."""


class _Teller:
    """Takes events to the log and to who listens; neither can keep the job from going on."""

    def __init__(self, log: EventLog, on_event: Callable[[Event], None]) -> None:
        self._log = log
        self._listeners = [on_event]
        self._lock = threading.RLock()
        self.warnings: list[str] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell somebody else, too."""
        self._listeners.append(listener)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._write(event)
            for listener in list(self._listeners):
                try:
                    listener(event)
                except Exception:  # noqa: BLE001 - for instance a terminal that has gone away
                    self._listeners.remove(listener)

    def _write(self, event: Event) -> None:
        try:
            self._log.append(event)
        except OSError as error:
            self.warnings = [f"the job's log is not complete: {error.strerror}"]


@dataclass
class _Worker:
    """One worker at work on one job."""

    repository: Repository
    store: Store
    folder: JobFolder
    tell: _Teller
    stop: Stop = field(default_factory=Stop)
    warnings: list[str] = field(default_factory=list)
    leaks: LeakWatch | None = None
    refusals: Refusals | None = None

    def run(self) -> Job:
        self.interrupts = Interrupts(self._cancel, self._end_processes)
        with self.interrupts, Control(self.folder.control, {CANCEL: self._cancel}):
            self.job = self._begun()
            end = self._worked()
            with shielded():
                reached("run.agent-done")
                self._finish(end)
        if end.raised is not None:
            raise end.raised
        return self.job

    def _begun(self) -> Job:
        # Of two workers one gets the job: the other one finds it in another state.
        return self.store.update(
            self.folder.id,
            expect=State.QUEUED,
            state=State.RUNNING,
            started_at=time.time(),
            worker_pid=os.getpid(),
            worker_started=started_at(os.getpid()),
            boot_id=boot_id(),
        )

    # -- the agent

    def _worked(self) -> _End:
        try:
            with shielded():
                self._open()
            with reserved_ports(self.job.id) as ports:
                result = self._run_agent(ports) if not self.stop.requested else None
        except BaseException as error:  # noqa: BLE001 - what the agent left must be saved
            return self._failed(error)
        if self.stop.requested or result is None:
            return self._stopped(result)
        if result.succeeded:
            return _End(Outcome.SUCCEEDED, result=result)
        return _End(Outcome.FAILED, result.error, result)

    def _open(self) -> None:
        from sideshoot.jobs.leaks import LeakWatch  # noqa: PLC0415 - only for work
        from sideshoot.jobs.opening import open_place  # noqa: PLC0415 - git is at work

        self.tell(Event(EventKind.PHASE, {"name": "preparing"}))
        self.leaks = LeakWatch.for_job(self.repository, self.job)
        try:
            self.job, notes = open_place(self.repository, self.store, self.folder, self.job)
        except OSError as error:
            raise CannotStart(f"the job can't begin: {error}; nothing was changed") from error
        finally:
            self.job = self.store.get(self.job.id)
        self.warnings += notes

    def _run_agent(self, ports: dict[str, str]) -> AgentResult | None:
        """Let the agent work; `None` if it was stopped before."""
        from sideshoot.agents.registry import agent_of  # noqa: PLC0415 - an agent is at work
        from sideshoot.jobs.refusals import Refusals  # noqa: PLC0415
        from sideshoot.jobs.task import task_of  # noqa: PLC0415

        agent = agent_of(self.job.request)
        task = task_of(self.repository, self.store, self.folder, self.job)
        task = replace(task, environment={**task.environment, **ports})
        if self.leaks is not None:
            self.leaks.ready()
        self._set_up(task)
        if self.stop.requested:
            return None
        with Limits(self.job.request, self.stop, self._end_processes) as limits:
            self.tell.listen(limits.saw)
            self.tell.listen(self._note_thread)
            if task.mechanism is not None:
                self.refusals = Refusals(task.mechanism.kind)
                self.tell.listen(self.refusals.saw)
            return agent.run(task, self.tell, self.stop)

    def _set_up(self, task: Task) -> None:
        from sideshoot.jobs.setup import set_up  # noqa: PLC0415 - only for work

        workspace = workspace_of(self.repository, self.job)
        if workspace is not None:
            wanted = self.job.request.equipment
            set_up(
                task,
                workspace,
                wanted.setup,
                tell=self.tell,
                stop=self.stop,
                limit_s=wanted.setup_timeout_s,
            )

    def _note_thread(self, event: Event) -> None:
        # At once: a thread that was begun can be gone on with, even if the worker is killed.
        thread_id = event.data.get("thread_id")
        if event.kind is EventKind.STARTED and isinstance(thread_id, str):
            self.store.update(self.folder.id, thread_id=thread_id)

    def _cancel(self) -> None:
        self.stop.request(StopReason.CANCELLED)

    def _end_processes(self) -> None:
        from sideshoot.agents.ending import end_marked  # noqa: PLC0415 - rare

        end_marked(self.folder.id)

    # -- how it ended

    def _stopped(self, result: AgentResult | None) -> _End:
        reason = self.stop.reason
        assert reason is not None
        if reason is StopReason.CANCELLED:
            seen = self.interrupts.seen
            return _End(
                Outcome.CANCELLED, WORDS[seen] if seen else "stopped by `sideshoot cancel`", result
            )
        error = limit_passed(self.job.request, reason)
        if reason is StopReason.OUTPUT_LIMIT:
            return _End(Outcome.FAILED, error, result)
        return _End(Outcome.TIMED_OUT, error, result)

    def _failed(self, error: BaseException) -> _End:
        if self.stop.requested:
            return self._stopped(None)
        if isinstance(error, KeyboardInterrupt):
            return _End(Outcome.CANCELLED, WORDS[signal.SIGINT])
        if isinstance(error, SideshootError):
            return _End(Outcome.FAILED, str(error), raised=error)
        said = self._report(error)
        return _End(Outcome.FAILED, said, raised=None if isinstance(error, Exception) else error)

    def _report(self, error: BaseException) -> str:
        import traceback  # noqa: PLC0415 - only for a fault

        said = f"a fault of Sideshoot's own ({type(error).__name__}: {error})"
        trace = "".join(traceback.format_exception(error))
        self.tell(Event(EventKind.ERROR, {"text": said, "trace": trace}))
        return f"{said}; `sideshoot logs {self.folder.id} --json` has the trace"

    # -- the end

    def _finish(self, end: _End) -> None:
        self.tell(Event(EventKind.PHASE, {"name": "saving"}))
        if self.leaks is not None:
            self.leaks.look_again()
        saved = self._saved()
        if isinstance(end.raised, AgentUnavailable | CannotStart) and saved.error is None:
            self._remove_unused(saved)
        if self.job.request.sandbox != "off":
            self._remove_temp()
        reached("run.captured")
        outcome, error = _with_failure(end, saved.error)
        self._note_fence(outcome)
        self.job = self.store.update(
            self.job.id,
            expect=State.RUNNING,
            state=State.FINISHED,
            outcome=outcome,
            error=error,
            finished_at=time.time(),
            warnings=(*self.job.warnings, *self.warnings, *saved.warnings, *self.tell.warnings),
            **saved.facts,
            **self._facts_of(end.result),
        )
        self._drop_copy()
        self.tell(Event(EventKind.FINISHED, {"outcome": outcome, "error": error}))

    def _note_fence(self, outcome: Outcome) -> None:
        """What got out where nothing held the agent, or was held where it may have needed it."""
        if self.leaks is not None:
            self.warnings += self.leaks.report()
        if self.refusals is not None and outcome is Outcome.FAILED:
            self.warnings += self.refusals.report()

    def _drop_copy(self) -> None:
        from sideshoot.jobs.saving import drop_copy  # noqa: PLC0415 - git is at work

        with contextlib.suppress(SideshootError):  # the next command tries again
            self.job = drop_copy(self.repository, self.store, self.job)

    def _saved(self) -> Saved:
        from sideshoot.jobs.saving import Saved, save  # noqa: PLC0415 - git is at work

        try:
            return save(self.repository, self.folder, self.job)
        except Exception as error:  # noqa: BLE001 - the workspace stays, and the job must end
            return Saved(error=self._report(error))

    def _remove_temp(self) -> None:
        from sideshoot.jobs.enclosure import remove_temp  # noqa: PLC0415 - only for a fence

        remove_temp(self.folder)

    def _remove_unused(self, saved: Saved) -> None:
        """Where an agent was not started, a workspace that is as it was opened is of no use."""
        from sideshoot.workspace.removal import remove_workspace  # noqa: PLC0415 - rare

        workspace = workspace_of(self.repository, self.job)
        result = saved.facts.get("result")
        if workspace is None or result is None or self.job.request.resume is not None:
            return
        trees = {workspace.holder.tree_of(commit) for commit in (workspace.base, result)}
        if len(trees) == 1 and not saved.facts.get("ignored_count"):
            with contextlib.suppress(SideshootError):
                remove_workspace(self.repository, workspace)
                saved.facts |= {"result": None, **NO_WORKSPACE}

    def _facts_of(self, result: AgentResult | None) -> dict[str, Any]:
        if result is None:
            return {}
        facts: dict[str, Any] = {
            "exit_code": result.exit_code,
            "message": result.message or None,
            "usage": result.usage,
        }
        return facts | ({"thread_id": result.thread_id} if result.thread_id else {})


def _with_failure(end: _End, error: str | None) -> tuple[Outcome, str | None]:
    """A job whose work can't be saved did not succeed."""
    if error is None:
        return end.outcome, end.error
    outcome = Outcome.FAILED if end.outcome is Outcome.SUCCEEDED else end.outcome
    return outcome, f"{end.error}; {error}" if end.error else error
