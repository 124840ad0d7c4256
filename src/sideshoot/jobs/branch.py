"""A branch that holds a job's work, for who wants to merge it by git's own means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.errors import GitError, KeepRefused, UsageError, WrongState
from sideshoot.workspace.merge import merge_commits

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.model import Job


def make_branch(repository: Repository, job: Job, name: str) -> str:
    """Make the branch, and return the commit that it names.

    The agent's own commits are on it, and what it left uncommitted is one more. Of the uncommitted
    changes that the workspace started with, as few as possible are.

    :raises UsageError: no branch can have this name, or one has it already.
    :raises WrongState: the job has no work that is still held.
    """
    ref = f"refs/heads/{name}"
    if repository.git.run("check-ref-format", "--branch", name, accept=(0, 128)).status:
        raise UsageError(f"{name!r} is no name for a branch")
    if repository.ref(ref) is not None:
        raise UsageError(f"there is a branch {name} already; choose another name")
    if job.base is None or job.result is None or repository.resolve(job.result) is None:
        raise WrongState(f"job {job.id} has no work that is held")
    commit = _commit(repository, job)
    try:
        repository.git.run("update-ref", ref, commit, repository.null_id)
    except GitError as error:
        raise UsageError(f"branch {name} can't be made: {error.reason}") from None
    return commit


def _commit(repository: Repository, job: Job) -> str:
    assert job.base is not None
    assert job.result is not None
    tree = repository.tree_of(job.result)
    committed = _agents_commit(repository, job)
    if committed is not None:
        if repository.tree_of(committed) == tree:
            return committed
        return _made(repository, job, tree, committed)
    if job.base != job.head:
        alone = _alone(repository, job)
        # Where the agent built on what was uncommitted, that has to come along, as a commit before.
        return _made(repository, job, alone or tree, job.head if alone else job.base)
    return _made(repository, job, tree, job.head)


def _agents_commit(repository: Repository, job: Job) -> str | None:
    """The agent's last commit, which the result has as its second parent."""
    parents = repository.git.text("rev-list", "--parents", "-n", "1", f"{job.result}").split()[1:]
    return parents[1] if len(parents) > 1 else None


def _alone(repository: Repository, job: Job) -> str | None:
    """The user's commit with the agent's change alone, if the two can be told apart."""
    assert job.base is not None
    assert job.result is not None
    ours = repository.commit(
        repository.tree_of(job.head) if job.head else repository.empty_tree,
        parents=tuple(commit for commit in (job.base, job.head) if commit),
        message="sideshoot: HEAD\n",
    )
    merged = merge_commits(repository, ours, job.result)
    return None if merged.conflicts else merged.tree


def _made(repository: Repository, job: Job, tree: str, parent: str | None) -> str:
    parents = ["-p", parent] if parent else []
    message = f"{job.title[:72]}\n\nFrom job {job.id}\n".encode("utf-8", "surrogateescape")
    try:
        return repository.git.text("commit-tree", tree, *parents, "-F", "-", stdin=message)
    except GitError as error:
        raise KeepRefused(f"no commit can be made: {error.reason}; nothing was written") from None
