"""Which job a command means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sideshoot.errors import AmbiguousJob, JobNotFound, UsageError, WrongState
from sideshoot.model import Decision, Isolation, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sideshoot.cli.place import Place
    from sideshoot.model import Job

    Test = Callable[[Job], bool]


SESSION_VARIABLES = ("SIDESHOOT_SESSION", "CLAUDE_CODE_SESSION_ID")
"""What hosts tell the commands of a session its id by: our hook's, and Claude Code's own."""


def is_active(job: Job) -> bool:
    """It is queued or running."""
    return job.state is not State.FINISHED


def is_finished(job: Job) -> bool:
    """It has an outcome."""
    return job.state is State.FINISHED


def is_open(job: Job) -> bool:
    """It is done, and neither decided as a whole nor gone on with by a later job."""
    undecided = job.decision in (Decision.OPEN, Decision.PARTLY_KEPT) or is_look(job)
    return is_finished(job) and undecided and job.continued_by is None


def is_undecided(job: Job) -> bool:
    """It is open, and there is something to decide: it had a workspace of its own."""
    return is_open(job) and job.request.isolation is Isolation.WORKTREE


def is_look(job: Job) -> bool:
    """It was only to look, as a review is; there is nothing to decide."""
    return job.request.isolation is Isolation.READ_ONLY


def can_be_resumed(job: Job) -> bool:
    """It has a conversation that is not at work; a review's is one with somebody else."""
    return bool(job.thread_id) and not is_active(job) and job.request.review is None


def is_kept(job: Job) -> bool:
    """Its work, or some of it, was kept, and is not part of a later job's."""
    kept = job.decision in (Decision.KEPT, Decision.PARTLY_KEPT)
    return kept and job.continued_by is None and job.request.isolation is Isolation.WORKTREE


def meant_job(
    place: Place, reference: str | None, *tests: Test, what: str, looks: bool = False
) -> Job:
    """The job that is named, or else the one that passes the first test that any job passes.

    A job that only looked is meant as long as no other came after it.

    :param what: what is looked for, for the error: "job to keep".
    :param looks: a job that only looked can be meant although it changed nothing.
    :raises JobNotFound: no job is named so.
    :raises AmbiguousJob: several can be meant.
    :raises UsageError: none can be meant.
    """
    if reference is not None:
        return place.find(reference)
    jobs = place.jobs()
    for test in tests:
        if found := [job for job in jobs if test(job)]:
            found = [found[0], *(job for job in found[1:] if not is_look(job))]
            return only(_with_changes(place, found, looks=looks) or found)
    raise UsageError(f"there is no {what}; `sideshoot status --all` lists all jobs")


def host_session() -> str | None:
    """The session of the host that this command was called in, if a host says so."""
    return next((value for name in SESSION_VARIABLES if (value := os.environ.get(name))), None)


def own_first(session: str | None, *tests: Test) -> tuple[Test, ...]:
    """Tests for `meant_job` by which a job of this session is meant rather than another's."""
    if session is None:
        return tests
    return (*(_of_session(session, test) for test in tests), *tests)


def meant_jobs(place: Place, references: Sequence[str], *tests: Test, what: str) -> list[Job]:
    """The same for commands that take several jobs; each is there once."""
    if not references:
        return [meant_job(place, None, *tests, what=what)]
    found = [place.find(reference) for reference in references]
    return list({job.id: job for job in found}.values())


def job_and_paths(
    place: Place, words: Sequence[str], dashed: int | None, *tests: Test, what: str
) -> tuple[Job, tuple[str, ...]]:
    """The job and the paths of `[JOB] [PATH…]`.

    As with git's revisions, words before `--` name the job and words after it are paths; without
    `--` the first word is a job if it names one, and a path otherwise.

    :param dashed: how many words stood before `--`; `None` without one.
    :raises UsageError: the first word can be both, or is neither.
    """
    if not words or dashed == 0 or (dashed is None and not _names_job(place, words[0], tests)):
        return meant_job(place, None, *tests, what=what), tuple(words)
    return meant_job(place, words[0], *tests, what=what), tuple(words[1:])


def last_thread(place: Place, session: str | None) -> Job:
    """The newest finished job of the session that has a thread to go on with.

    :raises WrongState: a job of the session is still at work.
    :raises UsageError: there is none.
    """
    jobs = [job for job in place.jobs() if session is None or job.session == session]
    for job in jobs:
        if is_active(job) and not (job.request.command or job.request.review):
            raise WrongState(f"job {job.id} is still {job.state}; `sideshoot status` follows it")
    for job in jobs:
        if can_be_resumed(job):
            return job
    raise UsageError("there is no earlier thread to go on with; leave --resume out")


def only(jobs: Sequence[Job]) -> Job:
    """The one job of a list.

    :raises AmbiguousJob: there are more.
    """
    if len(jobs) == 1:
        return jobs[0]
    listed = [_described(job) for job in jobs[:_MOST_LISTED]]
    if len(jobs) > _MOST_LISTED:
        listed.append(f"{len(jobs) - _MOST_LISTED} more")
    error = AmbiguousJob(listed)
    error.candidates = tuple(job.id for job in jobs)
    raise error


def known_jobs(folder: str) -> Iterable[Job]:
    """The newest jobs, for completion; none where there is no repository."""
    from pathlib import Path  # noqa: PLC0415 - only while completing

    from sideshoot.errors import SideshootError  # noqa: PLC0415
    from sideshoot.git import discover  # noqa: PLC0415
    from sideshoot.jobs.store import Store  # noqa: PLC0415

    try:
        state_dir = discover(Path(folder).absolute()).state_dir
        return Store.open(state_dir).list(limit=50) if state_dir.exists() else []
    except SideshootError:
        return []


def _of_session(session: str, test: Test) -> Test:
    return lambda job: job.session == session and test(job)


def _with_changes(place: Place, jobs: Sequence[Job], *, looks: bool) -> list[Job]:
    # Of several jobs, those that changed nothing are hardly meant.
    if len(jobs) == 1 or len(jobs) > _MOST_COMPARED:
        return []
    changed = place.changed(jobs)
    return [job for job in jobs if is_active(job) or (looks and is_look(job)) or job in changed]


_MOST_LISTED = 6

_MOST_COMPARED = 20
"""Of more jobs than this, none is compared: the user has to say which anyway."""


def _names_job(place: Place, word: str, tests: Sequence[Test]) -> bool:
    is_path = os.path.lexists(place.call.folder / word)
    try:
        job = place.find(word)
    except JobNotFound:
        if is_path or _is_changed(place, word, tests):
            return False
        raise
    except AmbiguousJob:
        if is_path:
            raise UsageError(_both(word)) from None
        raise
    if is_path and job.id != word:
        raise UsageError(_both(word))
    return True


def _is_changed(place: Place, word: str, tests: Sequence[Test]) -> bool:
    # What only a job has made is not here yet.
    if any(character in word for character in "/."):
        return True
    (path,) = place.tree_paths([word]) or (b"",)
    jobs = [job for job in place.jobs() if any(test(job) for test in tests)]
    return any(place.changes_of(job, [path]) for job in jobs[:_MOST_COMPARED])


def _both(word: str) -> str:
    return f"{word!r} can be a job and a path; write `{word} --` for the job or `-- {word}` for the path"


def _described(job: Job) -> str:
    from sideshoot.cli.columns import cut  # noqa: PLC0415 - rare

    return f"{job.id} ({cut(job.title, 30)})"
