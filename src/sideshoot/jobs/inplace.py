"""Jobs that work in the user's own tree: what they changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.workspace.base import user_snapshot
from sideshoot.workspace.refs import result_ref
from sideshoot.workspace.scratch import scratch, with_copy

if TYPE_CHECKING:
    from sideshoot.git import Repository


def snapshot_in_place(repository: Repository, job_id: str, base: str) -> str | None:
    """Hold the user's tree as a job left it, under its result's ref, and return that commit.

    `None` if the tree is what it was at `base`.

    :raises CaptureFailed: a file can't be read.
    """
    with scratch(repository) as folder:
        git = with_copy(repository.git, repository.index, folder / "index")
        tree = user_snapshot(repository, git).tree
    if tree == repository.tree_of(base):
        return None
    message = "sideshoot: the working tree as the job left it\n"
    commit = repository.commit(tree, parents=(base,), message=message)
    repository.git.run("update-ref", result_ref(job_id), commit)
    return commit
