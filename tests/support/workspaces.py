"""Workspaces for tests of the layer that opens them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sideshoot.git import discover
from sideshoot.model import Carry, JobId
from sideshoot.workspace.base import Base, make_base
from sideshoot.workspace.opening import Workspace, open_workspace, plan_workspace
from sideshoot.workspace.quarantine import borrow, make_quarantine, seeing
from sideshoot.workspace.reopening import NO_REUSE, Reuse
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

JOB = JobId("k3f9")


def opened(
    repo: Repo,
    job: str = JOB,
    *,
    carry: Carry = Carry.ALL,
    directory: Path | None = None,
    reuse: Reuse = NO_REUSE,
    sparse: Collection[bytes] = (),
) -> Workspace:
    """A workspace of the user's tree as it is now."""
    repository = discover(repo.top)
    base = make_base(repository, JobId(job), carry=carry)
    workspace = plan_workspace(repository, JobId(job), base, directory=directory)
    open_workspace(repository, workspace, base, reuse=reuse, sparse=sparse)
    return workspace


def planned(repo: Repo, job: str = JOB, *, carry: Carry = Carry.ALL) -> tuple[Workspace, Base]:
    """A workspace that is not opened yet, and its base."""
    repository = discover(repo.top)
    base = make_base(repository, JobId(job), carry=carry)
    return plan_workspace(repository, JobId(job), base), base


def inside(workspace: Workspace) -> Repo:
    """The workspace as the agent sees it."""
    return Repo(workspace.path)


def wait_until(fact: Callable[[], bool], *, limit_s: float = 60.0) -> None:
    """Wait for something that another process does; it must come true in time."""
    end = time.monotonic() + limit_s
    while not fact():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def traces(repo: Repo) -> list[str]:
    """All that a workspace leaves in a repository, but for refs below `refs/sideshoot/`."""
    common = repo.common_dir
    found = [f"registered: {name}" for name in _listed(common / "worktrees")]
    found += [f"claimed: {name}" for name in _listed(common / "sideshoot" / "workspaces")]
    found += [f"folder: {name}" for name in _listed(repo.top / ".worktrees")]
    found += [
        f"trash: {name}" for name in _listed(common / "sideshoot") if name.startswith(".sideshoot")
    ]
    found += [f"branch: {ref}" for ref in repo.our_refs() if ref.startswith("refs/heads/")]
    if (repo.top / ".worktrees").exists():
        found.append(".worktrees")
    return found


def _listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def cloned(repo: Repo, job: str = JOB, *, carry: Carry = Carry.ALL) -> Workspace:
    """A quarantined clone with the user's tree as it is now."""
    repository = discover(repo.top)
    folder = repository.state_dir / "jobs" / job
    folder.mkdir(parents=True, exist_ok=True)
    holder = make_quarantine(repository, folder)
    seen = seeing(repository, folder)
    base = make_base(seen, JobId(job), carry=carry, holder=holder)
    borrow(repository, holder, job, base)
    workspace = plan_workspace(repository, JobId(job), base, apart=folder)
    open_workspace(seen, workspace, base)
    return workspace
