"""Make the records anew where they can't be read: from the job folders, and from the refs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, StoreDamaged
from sideshoot.jobs.folder import JobFolder, job_folders
from sideshoot.jobs.store import NAME, Store
from sideshoot.lock import locked
from sideshoot.model import Copy, Job, JobId, Outcome, Request, State
from sideshoot.workspace.quarantine import clone_in, quarantine_of
from sideshoot.workspace.refs import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.git import Repository


def rebuild(repository: Repository) -> list[str]:
    """Make the store anew, and return what was done; a damaged database is kept beside it.

    A job's folder says what was last recorded of it. Of a job whose folder can't be read, the refs
    still tell what it started from and what it left; its work can be kept or discarded.
    """
    state_dir = repository.state_dir
    state_dir.mkdir(parents=True, exist_ok=True)
    with locked(state_dir / "rebuild.lock"):
        notes, settings = [], {}
        if _is_damaged(state_dir):
            settings = _settings(state_dir / NAME)
            aside = _put_aside(state_dir)
            notes = [
                f"the records could not be read and were made anew; the old ones are in {aside}"
            ]
        store = Store.open(state_dir)
        for key, value in settings.items():
            store.set_setting(key, value)
        known = {job.id for job in store.list()}
        missing = [job for job in _jobs_of_refs(repository) if job.id not in known]
        store.put(missing)
    if missing:
        notes.append(f"{len(missing)} jobs are known only by their refs now")
    return notes


def _is_damaged(state_dir: Path) -> bool:
    try:
        Store.open(state_dir).list()
    except StoreDamaged:
        return True
    return False


def _put_aside(state_dir: Path) -> Path:
    name = f"damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.db"
    for ending in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            (state_dir / f"{NAME}{ending}").rename(state_dir / f"{name}{ending}")
    return state_dir / name


def _settings(path: Path) -> dict[str, str]:
    """What can still be read of the settings."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return dict(connection.execute("SELECT key, value FROM setting"))
    except sqlite3.Error:
        return {}


def _jobs_of_refs(repository: Repository) -> list[Job]:
    found: dict[str, dict[str, str]] = {}
    times: dict[str, float] = {}
    for name, oid, when in _refs(repository):
        job_id, _, kind = name.removeprefix(NAMESPACE).partition("/")
        if kind in ("base", "result"):
            found.setdefault(job_id, {})[kind] = oid
            times[job_id] = float(when or 0)
    return [_job(repository, job_id, refs, times[job_id]) for job_id, refs in found.items()]


def _refs(repository: Repository) -> Iterator[list[str]]:
    """Name, object and time of each ref of ours, in the repository and in quarantines."""
    apart = [folder for folder in job_folders(repository.state_dir) if folder.quarantine.is_dir()]
    for one in (repository, *(quarantine_of(repository, folder.top) for folder in apart)):
        shape = "--format=%(refname) %(objectname) %(committerdate:unix)"
        with contextlib.suppress(GitError):  # of one that a crash has left in pieces
            answer = one.git.run("for-each-ref", shape, NAMESPACE)
            for line in answer.stdout.decode(errors="replace").splitlines():
                yield line.split(" ")


def _job(repository: Repository, job_id: str, refs: dict[str, str], when: float) -> Job:
    folder = JobFolder(repository.state_dir, job_id)
    is_clone = folder.quarantine.is_dir()
    git_dir = clone_in(folder.top) if is_clone else repository.common_dir / "worktrees" / job_id
    told = (folder.quarantine if is_clone else git_dir) / "gitdir"
    facts = _workspace_facts(git_dir, told, job_id) if "base" in refs else {}
    with contextlib.suppress(OSError):
        folder.top.mkdir(parents=True, exist_ok=True)
    return Job(
        id=JobId(job_id),
        request=Request(
            agent="unknown",
            prompt=_prompt(folder),
            name="(found by its refs)",
            copy=Copy.CLONE if is_clone else Copy.WORKTREE,
        ),
        state=State.FINISHED,
        outcome=Outcome.INTERRUPTED,
        created_at=when,
        finished_at=when,
        target=str(repository.top),
        base=refs.get("base"),
        result=refs.get("result"),
        error="its record was lost",
        **facts,  # type: ignore[arg-type]
    )


def _workspace_facts(git_dir: Path, file: Path, job_id: str) -> dict[str, object]:
    """The workspace, if it is where workspaces are by default.

    :param file: says where it lies.
    """
    try:
        told = os.fsdecode(file.read_bytes().removesuffix(b"\n"))
        head = (git_dir / "HEAD").read_text("utf-8", errors="replace").strip()
    except OSError:
        return {}
    branch = head.removeprefix("ref: refs/heads/")
    branch = branch if branch.startswith("sideshoot") else f"sideshoot/{job_id}"
    return {
        "worktree": told.removesuffix("/.git"),
        "git_dir": str(git_dir),
        "branch": branch,
        "opened": True,
    }


def _prompt(folder: JobFolder) -> str:
    try:
        return folder.prompt.read_text("utf-8", errors="surrogateescape")
    except OSError:
        return ""
