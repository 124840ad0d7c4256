"""Where a command acts: the repository, its records, and the caller's folder in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sideshoot.cli import output
from sideshoot.errors import JobNotFound, UsageError
from sideshoot.git import discover
from sideshoot.model import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sideshoot.cli.command import Call
    from sideshoot.config import Config
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job
    from sideshoot.workspace.compare import FileChange


@dataclass(frozen=True)
class Place:
    """A repository and what is recorded in it, as one call of the command sees them."""

    call: Call
    repository: Repository

    @cached_property
    def store(self) -> Store:
        """The records; they are made if there are none."""
        from sideshoot.jobs.store import Store  # noqa: PLC0415 - not for --help

        return Store.open(self.repository.state_dir)

    @property
    def records(self) -> Store | None:
        """The records, where there are any: looking makes none."""
        return self.store if self._has_records else None

    def config(self, *, lenient: bool = False, quiet: bool = False) -> Config:
        """What is set here.

        :param lenient: the command only looks: what is wrong in a file is left out, with a warning.
        :param quiet: the warning was given before.
        :raises BadConfiguration: a file can't be read, or says what can't be.
        """
        from sideshoot.jobs.settings import load_config  # noqa: PLC0415 - few ask for it

        config = load_config(self.repository, self.records, lenient=lenient)
        for problem in () if quiet else config.problems:
            output.warn(problem)
        return config

    def jobs(self, *, active: bool = False, limit: int | None = None) -> list[Job]:
        """Jobs, newest first. Where there never was one, nothing is made either.

        :param active: only those that are not finished.
        """
        if not self._has_records:
            return []
        states = (State.QUEUED, State.RUNNING) if active else tuple(State)
        return self.store.list(states=states, limit=limit)

    def find(self, reference: str) -> Job:
        """The job with this id, or the only one whose id begins so.

        :raises JobNotFound: there is none.
        :raises AmbiguousJob: there are several.
        """
        if not self._has_records:
            raise JobNotFound(reference)
        return self.store.find(reference)

    def changes_of(self, job: Job, paths: Sequence[bytes] = ()) -> list[FileChange]:
        """What the result of a job changed; nothing before there is one."""
        if not job.base or not job.result:
            return []
        from sideshoot.workspace.compare import changed_files  # noqa: PLC0415 - not for --help

        return changed_files(self.seeing(job), job.base, job.result, paths)

    def seeing(self, job: Job) -> Repository:
        """The repository as one that has the work of a job, to look at it."""
        from sideshoot.jobs.place import seen_from  # noqa: PLC0415 - not for --help

        return seen_from(self.repository, self.store, job)

    def changed(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of these jobs whose result is something else than they began with."""
        ended = [job for job in jobs if job.base and job.result]
        names = [f"{commit}^{{tree}}" for job in ended for commit in (job.base, job.result)]
        trees = self.repository.objects(*names) if names else []
        return [
            job
            for job, base, result in zip(ended, trees[::2], trees[1::2], strict=True)
            if base != result
        ]

    def log_of(self, job: Job) -> Path:
        """The event log of a job."""
        from sideshoot.jobs.folder import JobFolder  # noqa: PLC0415 - not for --help

        return JobFolder(self.repository.state_dir, job.id).events

    @cached_property
    def subfolder(self) -> str:
        """The caller's folder relative to the top of the working tree; empty for the top itself."""
        relative = os.path.relpath(self.call.folder.resolve(), self._top)
        return "" if relative == "." else relative

    def tree_paths(self, paths: Sequence[str]) -> tuple[bytes, ...]:
        """Paths as the caller gave them, relative to the top; empty means everything.

        :raises UsageError: one leads out of the working tree.
        """
        found = tuple(self._tree_path(path) for path in paths)
        return () if b"" in found else found

    def _tree_path(self, path: str) -> bytes:
        # Not resolved as a whole: a link is meant itself, not what it points to.
        full = os.path.normpath(self._top / self.subfolder / path)
        relative = os.path.relpath(full, self._top)
        if relative == ".." or relative.startswith("../"):
            raise UsageError(f"{path} lies outside the working tree {self._top}")
        return b"" if relative == "." else os.fsencode(relative)

    @cached_property
    def _top(self) -> Path:
        return self.repository.top.resolve()

    @property
    def _has_records(self) -> bool:
        return self.repository.state_dir.exists()


def open_place(call: Call, *, only_to_look: bool = False) -> Place:
    """Where `call` acts, after mending what an earlier command that died left half done.

    :param only_to_look: the command reads records and does no work with git.
    :raises NotARepository: there is no repository.
    """
    place = Place(call, discover(call.folder, only_to_look=only_to_look))
    if place.repository.state_dir.exists():
        from sideshoot.jobs import service  # noqa: PLC0415 - not for --help

        for line in service.recover(place.repository):
            output.note(f"recovered: {line}")
    return place
