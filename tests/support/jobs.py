"""Jobs of real commands in a repository."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sideshoot.agents.base import AgentResult, Readiness, Reviewing
from sideshoot.git import discover
from sideshoot.jobs import service
from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.place import seen_from
from sideshoot.jobs.store import Store
from sideshoot.lock import wait_free
from sideshoot.model import Job, Request
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sideshoot.agents.base import Event, Stop, Task
    from sideshoot.git import Repository
    from support.repos import Repo


class Jobs:
    """Jobs in a repository; those that are left at the end are cancelled."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.repository: Repository = discover(repo.top)
        self.store = Store.open(self.repository.state_dir)

    def request(self, script: str, **facts: Any) -> Request:
        """A shell script as the agent."""
        return dataclasses.replace(Request("command", command=("sh", "-c", script)), **facts)

    def create(self, script: str = "true", **facts: Any) -> Job:
        return service.create(self.repository, self.request(script, **facts))

    def run(self, script: str = "true", **facts: Any) -> Job:
        """Do a job in this process."""
        return service.work(self.repository, self.create(script, **facts).id)

    def launch(self, script: str = "true", **facts: Any) -> Job:
        """Have a job done by a detached worker."""
        job = self.create(script, **facts)
        service.launch(self.repository, job.id)
        return job

    def hang(self, script: str = "true", **facts: Any) -> tuple[Job, str]:
        """A job in the middle of its turn, after `script`; and the words of a process of it."""
        sleep = long_sleep()
        job = self.launch(f"{script}; {sleep}", **facts)
        await_true(lambda: running(sleep), "the agent's turn")
        return self.get(job), sleep

    def get(self, job: Job | str) -> Job:
        return self.store.get(job if isinstance(job, str) else job.id)

    def wait(self, job: Job) -> Job:
        (now,) = service.wait(self.repository, [job.id], timeout_s=60)
        return now

    def folder(self, job: Job) -> JobFolder:
        return JobFolder(self.store.state_dir, job.id)

    def await_death(self, job: Job) -> None:
        """Wait until the job's worker is gone."""
        assert wait_free(self.folder(job).lock, 60)

    def content(self, job: Job, path: str) -> bytes | None:
        """What a file holds in a job's result."""
        job = self.get(job)
        assert job.result
        git = seen_from(self.repository, self.store, job).git
        listed = git.run("ls-tree", "--name-only", job.result, "--", path).stdout
        return git.run("cat-file", "blob", f"{job.result}:{path}").stdout if listed else None

    def end(self) -> None:
        service.recover(self.repository)
        for job in self.store.list():
            if job.state != "finished":
                service.cancel(self.repository, job.id, timeout_s=20)


class Gardener:
    """An agent whose turn is a function of the test's."""

    name = "gardener"
    has_modes = False
    sandboxed = True
    reviewing: Reviewing | None = Reviewing(4096, has_shell=True)

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.turn: Callable[[Task, Callable[[Event], None], Stop], AgentResult] = self._does_nothing

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:  # noqa: ARG002 - as every agent's
        return Readiness(installed=True)

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        self.tasks.append(task)
        return self.turn(task, emit, stop)

    def job(self, jobs: Jobs, **facts: Any) -> str:
        """Record a job for it, and return its id."""
        request = Request(self.name, **{"prompt": "weed", **facts})
        return service.create(jobs.repository, request).id

    def works(self, jobs: Jobs, path: str, **facts: Any) -> Job:
        """A job in which it writes to a file what its thread is to write."""

        def turn(task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
            thread = task.thread_id or "thread"
            (task.folder / path).write_text(f"{thread} wrote {path}\n")
            return AgentResult(True, thread_id=thread)

        self.turn = turn
        return service.work(jobs.repository, self.job(jobs, **facts))

    def _does_nothing(self, *_: object) -> AgentResult:
        return AgentResult(True)
