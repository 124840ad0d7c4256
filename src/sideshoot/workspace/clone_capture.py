"""What an agent left in the git directory of a quarantined clone: looked at without believing it.

No git ever runs by the agent's configuration. Refs are read from their files, and objects come over
as a pack that names only what refs can reach; the quarantine's git checks the name of each.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.git.packs import copy_objects
from sideshoot.text import show_path
from sideshoot.workspace.clone_setup import REPLACING, begin, snapshot_of
from sideshoot.workspace.foreign import read_refs
from sideshoot.workspace.quarantine import alternates_of, borrowing
from sideshoot.workspace.registration import put_right, verify_head
from sideshoot.workspace.scratch import copy_index, scratch
from sideshoot.workspace.watched_refs import short_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from sideshoot.git import Git
    from sideshoot.workspace.foreign import Refs
    from sideshoot.workspace.place import Workspace

_SHOWN = 10
_STASHED = "refs/sideshoot/stash/"
_HELD = ("refs/heads/", "refs/tags/", "refs/notes/", _STASHED)


def take_over(workspace: Workspace, *, staged: bool = False) -> list[str]:
    """Bring the agent's commits into the quarantine, with its branches; can be repeated.

    What can't be read is told in the answer, for the files of the workspace count all the same.

    :param staged: what is in the agent's index, too: its files are gone.
    :return: what the user should know, one line each.
    """
    if staged and not workspace.git_dir.is_dir():
        return []
    notes: list[str] = []
    try:
        notes += _put_right(workspace)
        _copy_index(workspace)
        refs = read_refs(os.fsencode(workspace.git_dir))
        notes += _take_over(workspace, refs, staged=staged)
    except (GitError, OSError) as error:
        reason = error.reason if isinstance(error, GitError) else error.strerror
        notes.append(f"the agent's commits can't be read ({reason}); its files count")
    return notes


def _put_right(workspace: Workspace) -> list[str]:
    """Mend what the agent broke in its git directory, as far as it has to be read."""
    git_dir = workspace.git_dir
    assert workspace.users_dir is not None
    missing = _make_folders(git_dir, git_dir / "objects", git_dir / "objects" / "info")
    if git_dir in missing:
        (git_dir / "refs").mkdir()
        begin(workspace, git_dir)
        return ["the clone's git directory had been deleted; it was made anew"]
    notes = []
    alternates = borrowing(workspace.users_dir, git_dir, workspace.common_dir / "objects")
    if put_right(alternates_of(git_dir), alternates):
        notes.append("the clone borrowed other objects than yours; that was put right")
    return notes + verify_head(workspace)


def _copy_index(workspace: Workspace) -> None:
    """Have what the agent put into its index at a place where no git of ours runs by its settings."""
    target = workspace.repository.index
    target.unlink(missing_ok=True)
    source = workspace.git_dir / "index"
    if not source.is_symlink() and source.is_file():
        copy_index(source, target)


def _make_folders(*folders: Path) -> list[Path]:
    """Make those that are not there; a link is not, wherever it leads."""
    made = []
    for folder in folders:
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
            folder.mkdir()
            made.append(folder)
    return made


def _take_over(workspace: Workspace, refs: Refs, *, staged: bool) -> list[str]:
    began = snapshot_of(workspace)
    own = {name: oid for name, oid in refs.own.items() if name.startswith(_HELD)}
    changed = {name: oid for name, oid in own.items() if began.get(name) != oid}
    others = {name: oid for name, oid in changed.items() if name != workspace.branch_ref}
    work = [refs.head] if refs.head not in (None, workspace.head) else []
    agents = _reader(workspace)
    if staged:
        work.append(agents.text("write-tree"))
    known = [oid for oid in (workspace.head, workspace.base) if oid]
    _copy(workspace, agents, work, known)
    if others:
        _copy(workspace, agents, others.values(), [*known, *began.values()])
    _hold(workspace, own)
    _set_head(workspace, refs.head)
    return [*_told(workspace, others)]


def _reader(workspace: Workspace) -> Git:
    """git in the quarantine, for which the agent's objects are there as well."""
    objects = os.fsencode(workspace.git_dir / "objects")
    # Whatever stands in such a list is taken as it is between quotes, but for these.
    quoted = b'"' + objects.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    git = workspace.holder.git.having(GIT_ALTERNATE_OBJECT_DIRECTORIES=os.fsdecode(quoted))
    return git.configured({"core.commitGraph": "false"})  # It is read unchecked.


def _copy(workspace: Workspace, agents: Git, tips: Collection[str], known: Iterable[str]) -> None:
    """Copy what is reachable, and see to it that it is there whole."""
    holder = workspace.holder
    wanted = _those_in(agents, tips)
    if not wanted:
        return
    has = _those_in(holder.git, known)
    with scratch(holder) as folder:
        copy_objects(agents, holder.git, wanted, known=has, scratch=folder)
    words = "".join([*(f"{oid}\n" for oid in wanted), *(f"^{oid}\n" for oid in has)])
    holder.git.run("rev-list", "--objects", "--quiet", "--stdin", stdin=words.encode())


def _those_in(git: Git, oids: Iterable[str]) -> list[str]:
    names = "".join(f"{oid}\n" for oid in dict.fromkeys(oids))
    answer = git.run("cat-file", "--batch-check=%(objectname)", stdin=names.encode())
    return [line for line in answer.stdout.decode().splitlines() if " " not in line]


def _hold(workspace: Workspace, refs: Mapping[str, str]) -> None:
    """Let the quarantine have the agent's branches, and the user's replacements of objects."""
    there = {*_those_in(workspace.holder.git, refs.values())}
    refs = {name: oid for name, oid in refs.items() if oid in there}
    refs |= {n: oid for n, oid in snapshot_of(workspace).items() if n.startswith(REPLACING)}
    packed = b"".join(os.fsencode(f"{oid} {name}\n") for name, oid in refs.items())
    put_right(workspace.common_dir / "packed-refs", packed)


def _set_head(workspace: Workspace, head: str | None) -> None:
    """Let the quarantine's HEAD be the commit that the agent has checked out, if it has come over."""
    there = _those_in(workspace.holder.git, [head] if head else [])
    text = f"{there[0]}\n" if there else "ref: refs/heads/none\n"
    put_right(workspace.common_dir / "HEAD", text.encode())


def _told(workspace: Workspace, others: Mapping[str, str]) -> Iterator[str]:
    place = shlex.quote(str(workspace.common_dir))
    for name, oid in list(others.items())[:_SHOWN]:
        kind = "a stash entry" if name.startswith(_STASHED) else show_path(short_name(name))
        yield (
            f"the agent also left {kind} in its clone; "
            f"`git fetch {place} {shlex.quote(name)}` brings it ({oid[:10]})"
        )
    if len(others) > _SHOWN:
        yield f"{len(others) - _SHOWN} more refs of the agent's are in {show_path(place)}"
