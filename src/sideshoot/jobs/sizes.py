"""Count what jobs hold on the disk: workspaces, logs, and what only their refs hold in git's store.

Nothing counts twice: a file with several names and an object of several jobs count for the first job,
and blocks that workspaces share with other files count for none.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.jobs.folder import JobFolder
from sideshoot.jobs.held import Held
from sideshoot.workspace.extents import Stretches
from sideshoot.workspace.refs import NAMESPACE, job_refs
from sideshoot.workspace.weight import Scales

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sideshoot.git import Repository
    from sideshoot.model import Job

_NOT_OURS = ("guard/", "before")
"""What was the user's before a job, or before what was reviewed, is not the job's."""


class Inventory:
    """Counts one job after another, each thing once."""

    def __init__(self, repository: Repository, jobs: Sequence[Job]) -> None:
        """:param jobs: those that will be counted, in this order."""
        self._repository = repository
        self._scales = Scales()
        self._shared = Stretches()
        self._weighed: list[Path] = []
        self._objects = _object_sizes(repository, jobs)

    def count(self, job: Job, *, patience_s: float = math.inf) -> Held:
        """What a job holds.

        :param patience_s: so long its workspace is looked at.
        """
        log = self._scales.weigh(JobFolder(self._repository.state_dir, job.id).top)
        own, shared, whole = 0, Stretches(), True
        for place in _places(job):
            weight = self._scales.weigh(place, patience_s=patience_s)
            self._weighed.append(place)
            shared.update(weight.shared)
            own += weight.own_bytes
            whole = whole and weight.whole
        self._shared.update(shared)
        store = log.own_bytes + self._objects[job.id]
        return Held(own, len(shared), store, whole, time.time())

    def folder(self, place: Path, *, without: Iterable[Path] = ()) -> int:
        """What another folder takes."""
        weight = self._scales.weigh(place, without=[*without])
        self._weighed.append(place)
        self._shared.update(weight.shared)
        return weight.own_bytes

    def shared_among(self) -> int:
        """The blocks that what was counted shares with each other only, and not with the user's tree."""
        every = len(self._shared)
        if not every:
            return 0
        users = Scales().weigh(self._repository.top, without=self._weighed).shared
        theirs = len(users)
        users.update(self._shared)
        return len(users) - theirs


def _places(job: Job) -> list[Path]:
    """A workspace, and git's own directory of it where that lies elsewhere."""
    if job.worktree is None:
        return []
    folder, git_dir = Path(job.worktree), Path(job.git_dir or job.worktree)
    return [folder] if git_dir.is_relative_to(folder) else [folder, git_dir]


def _object_sizes(repository: Repository, jobs: Sequence[Job]) -> dict[str, int]:
    """What the refs of each job hold in the object store beyond what the job started from."""
    if len(jobs) == 1:  # as a job ends, with somebody waiting: two calls of git, and no list
        only = jobs[0]
        tips = _tips(repository, job_refs(only.id)).get(only.id, [])
        usage = _reachable(repository, only, tips, "--disk-usage")
        return {only.id: int(usage[0]) if usage else 0}
    tips_of, seen = _tips(repository, NAMESPACE), set[str]()
    objects: dict[str, list[str]] = {}
    for job in jobs:
        found = _reachable(repository, job, tips_of.get(job.id, []), "--no-object-names")
        objects[job.id] = [oid for oid in found if oid not in seen]
        seen.update(found)
    sizes = _disk_sizes(repository, seen)
    return {job_id: sum(sizes.get(oid, 0) for oid in oids) for job_id, oids in objects.items()}


def _tips(repository: Repository, pattern: str) -> dict[str, list[str]]:
    """What the refs of each job name, of those below the pattern."""
    answer = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", pattern)
    tips: dict[str, list[str]] = {}
    for line in os.fsdecode(answer.stdout).splitlines():
        oid, _, name = line.partition(" ")
        job_id, _, rest = name.removeprefix(NAMESPACE).partition("/")
        if not rest.startswith(_NOT_OURS):
            tips.setdefault(job_id, []).append(oid)
    return tips


def _reachable(repository: Repository, job: Job, tips: Sequence[str], form: str) -> list[str]:
    """What git says of the objects that these refs hold; nothing if they hold none."""
    review = job.request.review
    begin = {job.head or repository.head(), review.before if review else None} - {None}
    if not {*tips} - begin:
        return []
    # What is missing in a partial clone takes no room, and is not fetched to find that out.
    argv = ("rev-list", "--objects", form, "--missing=allow-any", "--ignore-missing")
    answer = repository.git.run(*argv, *tips, *(f"^{one}" for one in begin), accept=(0, 128))
    return answer.text.split() if answer.status == 0 else []


def _disk_sizes(repository: Repository, objects: Iterable[str]) -> dict[str, int]:
    names = "".join(f"{oid}\n" for oid in objects).encode()
    if not names:
        return {}
    form = "--batch-check=%(objectname) %(objectsize:disk)"
    lines = repository.git.run("cat-file", form, stdin=names).text.splitlines()
    parts = (line.split(" ") for line in lines)
    return {oid: int(size) for oid, size in parts if size.isdigit()}
