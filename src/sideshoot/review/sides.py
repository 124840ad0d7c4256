"""The two sides of a change that is to be reviewed, one function for each kind of change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import UsageError, WrongState
from sideshoot.jobs.place import brought_home
from sideshoot.jobs.store import Store
from sideshoot.model import State
from sideshoot.review.default_branch import default_branch
from sideshoot.workspace.base import carried, committed
from sideshoot.workspace.snapshot import hidden_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.model import Job

_SHORT = 10
_UNCOMMITTED = "nothing is uncommitted; `--base REF` or `--commit REV` reviews what is"


@dataclass(frozen=True, slots=True)
class Sides:
    """A change before anything is known of what differs."""

    what: str
    before: str
    after: str
    why_nothing: str
    """Why there is nothing to review, if nothing differs."""
    is_here: bool = False
    """Whether `after` was made of the user's tree just now."""
    is_of_branch: bool = False
    has_messages: bool = False
    """Whether the commits of the change are the user's or their friends'."""
    reviewer: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    job: str | None = None
    refs: tuple[str, ...] = ()


def of_working_tree(repository: Repository) -> Sides:
    """All that is uncommitted: staged, unstaged and untracked.

    :raises CaptureFailed: a file can't be read.
    """
    base = carried(repository)
    exact = base.head is not None and not hidden_files(repository, repository.git)
    return Sides(
        what="the working tree" + _unfinished(repository),
        before=committed(repository, base.head).commit,
        after=base.commit,
        why_nothing=_UNCOMMITTED,
        is_here=True,
        reviewer={"type": "uncommittedChanges"} if exact else None,
        notes=base.warnings,
    )


def of_branch(repository: Repository, base: str | None) -> Sides:
    """All that HEAD has and its base has not, by the commit where they part.

    :param base: a branch or commit; the repository's default branch if it is left out.
    :raises UsageError: there is no such commit, none is found, or the two have nothing in common.
    """
    head = repository.head()
    if head is None:
        raise UsageError("there is no commit yet; `--scope working-tree` reviews what lies there")
    base = base if base is not None else default_branch(repository)
    tip = _commit(repository, base)
    before = merge_base(repository, tip, head)
    if before is None:
        raise UsageError(f"HEAD and {base} have no commit in common; name another --base")
    exact = _is_seen_so(repository, base, head, before)
    return Sides(
        what=f"the branch against {base}",
        before=before,
        after=head,
        why_nothing=f"HEAD has nothing that {base} has not",
        is_of_branch=True,
        has_messages=True,
        reviewer={"type": "baseBranch", "branch": base} if exact else None,
    )


def of_commit(repository: Repository, revision: str) -> Sides:
    """What one commit changed; of a merge, what it brought to its first parent.

    :raises UsageError: there is no such commit.
    """
    commit = _commit(repository, revision)
    parents = repository.git.text("rev-list", "--parents", "-n", "1", commit).split(" ")[1:]
    title = repository.git.text("log", "-1", "--format=%s", commit)
    return Sides(
        what=f"commit {commit[:_SHORT]}" + (" against its first parent" if parents[1:] else ""),
        before=committed(repository, parents[0] if parents else None).commit,
        after=commit,
        why_nothing=f"commit {commit[:_SHORT]} changes no file",
        has_messages=True,
        reviewer=None if parents[1:] else {"type": "commit", "sha": commit, "title": title or None},
    )


def of_job(repository: Repository, job: Job) -> Sides:
    """What a job left against what it started from.

    :raises WrongState: the job is not finished.
    """
    if job.state is not State.FINISHED:
        raise WrongState(
            f"job {job.id} is {job.state}; `sideshoot wait {job.id}` waits for its end"
        )
    # The reviewer gets a workspace of its own, and that comes from the user's repository.
    brought_home(repository, Store.open(repository.state_dir), job)
    before = job.base or committed(repository, None).commit
    return Sides(
        what=f"what job {job.id} did",
        before=before,
        after=job.result or before,
        why_nothing=f"job {job.id} changed nothing",
        job=job.id,
    )


def release(repository: Repository, refs: Sequence[str]) -> None:
    """Let go of what was fetched, once a job holds it or nobody wants it."""
    for ref in refs:
        repository.git.run("update-ref", "-d", ref)


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    """The newest commit that two have in common; the first of several."""
    answer = repository.git.run("merge-base", one, other, accept=(0, 1))
    return answer.text or None


def _commit(repository: Repository, revision: str) -> str:
    commit = repository.resolve(revision)
    if commit is None:
        raise UsageError(f"{revision!r} names no commit; `git log` shows what there is")
    return commit


def _is_seen_so(repository: Repository, base: str, head: str, before: str) -> bool:
    """Whether Codex finds the same start: where the upstream of a base is ahead, it takes that."""
    names = (f"refs/heads/{base}", f"refs/remotes/{base}")
    argv = ("show-ref", "--verify", "--quiet")
    if all(repository.git.run(*argv, name, accept=(0, 1, 128)).status for name in names):
        return False
    upstream = repository.resolve(f"{base}@{{upstream}}")
    return upstream is None or merge_base(repository, upstream, head) == before


def _unfinished(repository: Repository) -> str:
    states = {
        "MERGE_HEAD": "a merge",
        "CHERRY_PICK_HEAD": "a cherry-pick",
        "REVERT_HEAD": "a revert",
        "rebase-merge": "a rebase",
        "rebase-apply": "a rebase",
    }
    for name, what in states.items():
        if (repository.git_dir / name).exists():
            return f" in the middle of {what}"
    return ""
