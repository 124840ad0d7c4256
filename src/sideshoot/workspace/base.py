"""What a workspace starts from: the user's tree as it is, as a commit of Sideshoot's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, UsageError
from sideshoot.model import Carry
from sideshoot.text import show_path
from sideshoot.workspace.looking import looking
from sideshoot.workspace.refs import base_ref
from sideshoot.workspace.scratch import scratch, with_copy
from sideshoot.workspace.snapshot import Snapshot, hidden_files, snapshot, unhide

if TYPE_CHECKING:
    from sideshoot.git import Git, Repository
    from sideshoot.model import JobId


@dataclass(frozen=True, slots=True)
class Base:
    """The start of a workspace."""

    commit: str
    """Holds `tree`; its parent is `head`, or it is `head` itself where nothing is carried."""
    tree: str
    head: str | None
    """The commit that the job's branch starts at; `None` before the first commit."""
    index_tree: str | None
    """What the user has staged; `None` is the tree of `head`."""
    raw: frozenset[bytes] = frozenset()
    """Files of `tree` to be written without filters, since the filters refused to read them."""
    warnings: tuple[str, ...] = ()


def make_base(
    repository: Repository,
    job_id: JobId,
    *,
    carry: Carry = Carry.ALL,
    revision: str | None = None,
    holder: Repository | None = None,
) -> Base:
    """Write the start of a job's workspace into the object store, under `base_ref`.

    :param carry: which uncommitted changes the agent sees; with a `revision` none are carried.
    :param revision: start from this commit and not from HEAD.
    :param holder: gets the ref, where it is another repository that has the objects.
    :raises UsageError: the revision names no commit.
    :raises CaptureFailed: a file of the user's tree can't be read.
    """
    if revision is not None:
        base = committed(repository, _resolved(repository, revision))
    elif carry is Carry.NONE:
        base = committed(repository, repository.head())
    else:
        base = carried(repository, untracked=carry is Carry.ALL)
    (holder or repository).git.run("update-ref", base_ref(job_id), base.commit)
    return base


def user_snapshot(repository: Repository, git: Git, *, untracked: bool = True) -> Snapshot:
    """The user's tree as it lies there, by a scratch index that `git` is aimed at already."""
    return _seen(repository, git, untracked=untracked)[0]


def _resolved(repository: Repository, revision: str) -> str:
    commit = repository.resolve(revision)
    if commit is None:
        raise UsageError(f"{revision!r} names no commit; `git log` shows what there is")
    return commit


def committed(repository: Repository, head: str | None) -> Base:
    """A commit alone, without anything uncommitted; nothing at all for `None`. No ref holds it yet."""
    if head is None:
        # The empty tree is known to git without being stored; a commit of it needs it stored.
        tree = repository.git.text("hash-object", "-t", "tree", "-w", "--stdin")
        return Base(_base_commit(repository, tree, None), tree, None, None)
    return Base(head, repository.tree_of(head), head, None)


def carried(repository: Repository, *, untracked: bool = True) -> Base:
    """The user's tree as it is at this moment. No ref holds it yet.

    :raises CaptureFailed: a file can't be read.
    """
    head, head_tree = repository.objects("HEAD^{commit}", "HEAD^{tree}")
    with scratch(repository) as folder:
        git = with_copy(repository.git, repository.index, folder / "index")
        seen, index_tree = _seen(repository, git, untracked=untracked)
    commit = head if head and seen.tree == head_tree else _base_commit(repository, seen.tree, head)
    return Base(
        commit=commit,
        tree=seen.tree,
        head=head,
        index_tree=None if index_tree == head_tree else index_tree,
        raw=seen.raw,
        warnings=tuple(_warnings(seen)),
    )


def _base_commit(repository: Repository, tree: str, head: str | None) -> str:
    return repository.commit(
        tree,
        parents=(head,) if head else (),
        message="sideshoot: the working tree as the job began\n",
    )


def _seen(repository: Repository, git: Git, *, untracked: bool) -> tuple[Snapshot, str | None]:
    """The user's tree, and what of it is staged."""
    with looking(git, untracked=untracked) as look:
        staged = _index_tree(git)
        hidden = hidden_files(repository, git)
        if not hidden:
            return snapshot(repository, git, look.found(), unchanged=staged), staged
    unhide(git, hidden)
    with looking(git, untracked=untracked) as look:
        return snapshot(repository, git, look.found(), unchanged=staged), staged


def _index_tree(git: Git) -> str | None:
    """What is staged, unless a merge is unfinished: such an index has no tree."""
    try:
        return git.text("write-tree", "--missing-ok")
    except GitError:
        return None


def _warnings(seen: Snapshot) -> list[str]:
    warnings = [
        f"{show_path(path)} is a repository of its own; the workspace does not have it"
        for path in seen.repositories
    ]
    warnings += [
        f"git's filters refuse {show_path(path)}; its bytes are carried as they are"
        for path in sorted(seen.raw)
    ]
    return warnings
