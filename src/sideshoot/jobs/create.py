"""Record a job, before anything else is done for it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.config import require_consent
from sideshoot.errors import AgentUnavailable, CannotStart, UsageError, WrongState
from sideshoot.jobs.claims import claim, release
from sideshoot.jobs.defaults import driver_of, equipment_of
from sideshoot.jobs.folder import NAME, JobFolder
from sideshoot.jobs.ids import new_job_id
from sideshoot.jobs.settings import agents_for_tasks, load_config
from sideshoot.jobs.store import Store
from sideshoot.model import Copy, Isolation, Job, JobId, Request, State
from sideshoot.workspace.folders import folder_for
from sideshoot.workspace.refs import reviewed_ref
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from sideshoot.agents.base import Agent
    from sideshoot.config import Config
    from sideshoot.git import Repository
    from sideshoot.jobs.brief import Brief
    from sideshoot.jobs.enclosure import Choice

GO_ON = "Go on with this task: take the most useful next step."
"""The task of a job that goes on with a thread and was given no words."""


def create(
    repository: Repository,
    request: Request,
    *,
    session: str | None = None,
    brief: Brief | None = None,
) -> Job:
    """Record a job as queued; this process holds it until `work` or `launch` takes it over.

    :param brief: what the agent is told in place of the request's prompt.
    :raises UsageError: the request can't work, whatever happens.
    :raises BadConfiguration: a file of settings says what can't be.
    :raises ConsentNeeded: the repository's file wants something that the user has to allow first.
    :raises AgentUnavailable: nobody knows the agent.
    :raises WrongState: the job to go on with is still at work.
    :raises CannotStart: nothing can be recorded here.
    """
    store = Store.open(repository.state_dir)
    request = checked(repository, store, request)
    fence = _fence(repository, request)
    folder = _new_folder(repository.state_dir)
    claim(folder)
    job = Job(
        id=JobId(folder.id),
        request=replace(request, sandbox=fence.level),
        created_at=time.time(),
        session=session,
        target=str(repository.top),
        mechanism=fence.kind,
        warnings=fence.warnings,
    )
    try:
        _hold_reviewed(repository, job)
        _record(store, folder, job, brief)
    except BaseException:
        release(folder)
        folder.remove()
        raise
    reached("run.recorded")
    return job


def checked(repository: Repository, store: Store, request: Request) -> Request:
    """The request with its loose ends tied up; see `create` for what is raised."""
    wanted = request.copy
    agent, request = prepared(repository, store, request)
    if request.agent == "command" and not request.command:
        raise UsageError(
            "a task in words is for an agent; `sideshoot run -- COMMAND` runs a command"
        )
    if request.agent_mode is not None and not agent.has_modes:
        raise UsageError(
            f"{request.agent} has no modes of its own; leave --agent-mode out, or run.agent_mode"
        )
    if request.base is not None and repository.resolve(request.base) is None:
        raise UsageError(f"{request.base!r} names no commit; `git log` shows what there is")
    if request.base is not None and request.isolation is Isolation.IN_PLACE:
        raise UsageError("--base chooses what a workspace starts from; here there is none")
    if request.thread is not None:
        return _on_thread(request)
    if request.resume is None:
        return request
    earlier = last_of_thread(store, store.find(request.resume))
    if earlier.thread_id is None:
        raise UsageError(f"job {earlier.id} has no thread to go on with; start a fresh one")
    return replace(
        request,
        resume=earlier.id,
        prompt=request.prompt or GO_ON,
        copy=_copy_to_go_on_in(earlier, request, wanted),
        sparse=earlier.request.sparse,  # It goes on in that one's workspace.
    )


def _on_thread(request: Request) -> Request:
    if request.agent == "command" or (request.driver and request.driver.protocol == "command"):
        raise UsageError(f"{request.agent} has no threads that could be gone on with")
    return replace(request, prompt=request.prompt or GO_ON)


def _copy_to_go_on_in(earlier: Job, request: Request, wanted: Copy | None) -> Copy | None:
    """A workspace stays what it is; if it is gone, the new one is as is asked for."""
    if request.copy is None or earlier.worktree is None:
        return request.copy
    found = earlier.request.copy or Copy.WORKTREE
    if wanted not in (None, found):
        raise UsageError(
            f"the workspace of job {earlier.id} is a {found}; --isolation {wanted} needs one of its "
            "own, so start a fresh thread"
        )
    return found


def prepared(
    repository: Repository, store: Store | None, request: Request
) -> tuple[Agent, Request]:
    """The agent that a request is for, and the request with what is set for that agent.

    :raises BadConfiguration, ConsentNeeded, AgentUnavailable: as `create`.
    """
    config = load_config(repository, store)
    request = _as_set(repository, config, request)
    return _agent(config, request), request


def _agent(config: Config, request: Request) -> Agent:
    from sideshoot.agents.registry import agent_of  # noqa: PLC0415 - not to look at jobs

    try:
        return agent_of(request)
    except AgentUnavailable:
        if request.agent in config.agents:
            text = f"[agents.{request.agent}] says neither `acp` nor `command`, so nothing can start it"
            raise AgentUnavailable(text) from None
        known = ", ".join([*agents_for_tasks(config), "command"])
        chosen = config.in_force("run.agent")
        named = f", which run.agent names ({chosen.where})" if chosen.text == request.agent else ""
        raise AgentUnavailable(f"no agent {request.agent!r}{named}; there are: {known}") from None


def _as_set(repository: Repository, config: Config, request: Request) -> Request:
    """The request with what the configuration says of its agent and its place."""
    require_consent(config, f"agents.{request.agent}", "sandbox")
    request = replace(
        request, writable=config.value("sandbox.writable"), equipment=equipment_of(config)
    )
    agent = config.agents.get(request.agent)
    if agent is not None and request.driver is None:
        driver = driver_of(agent)
        more = agent.writable if driver is None else ()  # a driver has them itself
        request = replace(
            request,
            driver=driver,
            environment=dict(agent.environment),
            writable=(*request.writable, *more),
        )
    if request.isolation is not Isolation.WORKTREE:
        return request
    require_consent(config, "worktree", "workspace")
    if request.copy is None:
        request = replace(request, copy=Copy(config.value("workspace.isolation")))
    chosen = config.value("worktree.dir")
    if chosen is None or request.directory is not None:
        return request
    return replace(request, directory=str(folder_for(repository, Path(chosen))))


def _fence(repository: Repository, request: Request) -> Choice:
    """What will hold the agent back; asked before anything is recorded."""
    from sideshoot.jobs.enclosure import choose  # noqa: PLC0415 - not to look at jobs

    return choose(repository, request)


def last_of_thread(store: Store, job: Job) -> Job:
    """The job at the end of the row of those that went on in one workspace.

    :raises WrongState: somebody is still at work there, or about to be.
    """
    while job.continued_by is not None:
        job = store.get(job.continued_by)
    active = store.list(states=(State.QUEUED, State.RUNNING))
    for other in active:
        if job.id in (other.id, other.request.resume):
            raise WrongState(
                f"job {other.id} is still at work on this; `sideshoot wait {other.id}` waits for it"
            )
    return job


def _new_folder(state_dir: Path) -> JobFolder:
    try:
        (state_dir / NAME).mkdir(parents=True, exist_ok=True)
        while True:
            folder = JobFolder(state_dir, new_job_id())
            with contextlib.suppress(FileExistsError):
                folder.top.mkdir()
                return folder
    except OSError as error:
        raise _unwritable(state_dir / NAME, error) from error


def _hold_reviewed(repository: Repository, job: Job) -> None:
    """Keep both sides of the change for as long as the review is there."""
    review = job.request.review
    if review is not None:
        for side, commit in (("before", review.before), ("after", review.after)):
            repository.git.run("update-ref", reviewed_ref(job.id, side), commit)


def _record(store: Store, folder: JobFolder, job: Job, brief: Brief | None) -> None:
    try:
        folder.prompt.write_text(job.request.prompt, encoding="utf-8", errors="surrogateescape")
        if brief is not None:
            brief.save(folder.brief)
    except OSError as error:
        raise _unwritable(folder.top, error) from error
    store.add(job)


def _unwritable(place: Path, error: OSError) -> CannotStart:
    return CannotStart(f"can't write in {place}: {error.strerror}; nothing was begun")
