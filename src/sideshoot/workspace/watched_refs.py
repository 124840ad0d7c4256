"""The user's branches, tags, HEAD and stash: what they named before a job, and what has changed."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.text import show_path
from sideshoot.workspace.refs import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.git import Repository

LISTED = 10
"""So many refs are named one by one; more are only counted."""

_STASH = "refs/stash"
_REMOTE = "refs/remotes/"


@dataclass(frozen=True, slots=True)
class WatchedRefs:
    """What the refs of a repository name at one moment."""

    refs: dict[str, str] = field(default_factory=dict)
    """Each ref and its object; Sideshoot's own are left out."""
    head: str = ""
    """What the HEAD file of the user's working tree says."""
    stash: tuple[tuple[str, str], ...] = ()
    """Commit and title of each stash entry, the oldest first."""

    @property
    def objects(self) -> set[str]:
        """All that has to stay reachable."""
        detached = {self.head} if self.head and not self.head.startswith("ref:") else set()
        return {*self.refs.values(), *detached, *(commit for commit, _ in self.stash)}


def look_at_refs(repository: Repository, workspace_branch: str) -> WatchedRefs:
    """Read all refs in one git call.

    :param workspace_branch: all branches in this one's folder are Sideshoot's own.
    """
    ours = (NAMESPACE, f"refs/heads/{workspace_branch.rpartition('/')[0]}/")
    answer = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)")
    pairs = (line.split(b" ", 1) for line in answer.stdout.splitlines())
    refs = {os.fsdecode(name): oid.decode() for oid, name in pairs}
    return WatchedRefs(
        {name: oid for name, oid in refs.items() if not name.startswith(ours)},
        _head(repository),
        tuple(_stash(repository.common_dir / "logs" / _STASH)) if _STASH in refs else (),
    )


def lost_objects(before: WatchedRefs, now: WatchedRefs) -> list[str]:
    """What was named before and is not any more."""
    return sorted(before.objects - now.objects)


def describe_refs(before: WatchedRefs, now: WatchedRefs) -> list[str]:
    """One line for each difference, with the command that takes it back."""
    names = sorted({*before.refs, *now.refs} - {_STASH})
    changed = [name for name in names if before.refs.get(name) != now.refs.get(name)]
    own = [name for name in changed if not name.startswith(_REMOTE)]
    lines = [_describe(name, before.refs.get(name), now.refs.get(name)) for name in own[:LISTED]]
    if len(own) > LISTED:
        lines.append(f"{len(own) - LISTED} more refs changed while the job ran")
    if len(own) < len(changed):
        remote = len(changed) - len(own)
        lines.append(
            f"{remote} remote-tracking branches changed while the job ran; a fetch does so"
        )
    return [*lines, *_describe_head(before.head, now.head), *_describe_stash(before, now)]


def _head(repository: Repository) -> str:
    if (repository.common_dir / "reftable").is_dir():
        symbolic = repository.git.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).text
        return f"ref: {symbolic}" if symbolic else repository.head() or ""
    return os.fsdecode((repository.git_dir / "HEAD").read_bytes()).strip()


def _stash(log: Path) -> Iterator[tuple[str, str]]:
    # A line of a reflog: old id, new id, who, when, a tab, and the title.
    try:
        lines = log.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        head, _, title = line.partition(b"\t")
        yield head.split(b" ")[1].decode(), title.decode(errors="replace")


def _describe(ref: str, old: str | None, new: str | None) -> str:
    name, quoted = show_path(short_name(ref)), shlex.quote(ref)
    if old is None:
        assert new
        return (
            f"{name} was created while the job ran; `git update-ref -d {quoted} {new}` removes it"
        )
    if new is None:
        return (
            f"{name} was deleted while the job ran; `git update-ref {quoted} {old}` brings it back"
        )
    return (
        f"{name} moved from {old[:10]} to {new[:10]} while the job ran; "
        f"`git update-ref {quoted} {old}` takes it back"
    )


def _describe_head(old: str, new: str) -> list[str]:
    if old == new:
        return []
    target = old.removeprefix("ref:").strip()
    command = "symbolic-ref HEAD" if old.startswith("ref:") else "update-ref --no-deref HEAD"
    found = new.removeprefix("ref:").strip()
    line = (
        f"HEAD of your working tree changed from {show_path(target)} to {show_path(found)} "
        f"while the job ran; `git {command} {shlex.quote(target)}` takes it back"
    )
    return [line]


def _describe_stash(before: WatchedRefs, now: WatchedRefs) -> list[str]:
    gone = [entry for entry in before.stash if entry not in now.stash]
    fresh = [entry for entry in now.stash if entry not in before.stash]
    lines = [
        f"the stash entry {title!r} was dropped while the job ran; "
        f"`git stash store -m {shlex.quote(title)} {commit}` brings it back"
        for commit, title in gone
    ]
    lines += [
        f"the stash entry {title!r} was added while the job ran; "
        f"`git stash show -p {commit}` shows it"
        for commit, title in fresh
    ]
    return lines


def short_name(ref: str) -> str:
    """`branch main` for `refs/heads/main`; other refs as they are."""
    for prefix, kind in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        if ref.startswith(prefix):
            return f"{kind} {ref.removeprefix(prefix)}"
    return ref
