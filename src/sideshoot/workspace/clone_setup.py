"""The git directory that an agent gets in a quarantined clone: whole, its own, and of no use to others.

It knows the user's branches, tags and remotes as they are at this moment, and their settings. It has
no hooks and no stash, a push from it goes nowhere, and no automatic collection of garbage. What the
agent does to it is looked at, never believed (`clone_capture`).
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from sideshoot.workspace.exclude import FOLDER
from sideshoot.workspace.quarantine import (
    alternates_of,
    borrowing,
    config_value,
    format_of,
    make_layout,
)
from sideshoot.workspace.refs import NAMESPACE
from sideshoot.workspace.sparse import narrow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

NO_PUSH = "a push from a quarantined clone"
"""git says of it that it is no repository."""

SNAPSHOT = "users-refs"
"""A file in the quarantine: the user's refs as the clone got them."""

REPLACING = "refs/replace/"
"""What says that an object stands for another one; git obeys it wherever it reads."""

_HIDDEN = (
    NAMESPACE,
    "refs/heads/sideshoot/",
    "refs/heads/sideshoot-jobs/",
    "refs/stash",
    "refs/bisect/",
    "refs/rewritten/",
    "refs/worktree/",
)
"""What is Sideshoot's, or of one working tree, or nobody's business."""

_NOT_INHERITED = (
    b"core.alternaterefscommand",
    b"core.alternaterefsprefixes",
    b"core.bare",
    b"core.fsmonitor",
    b"core.hookspath",
    b"core.repositoryformatversion",
    b"core.splitindex",
    b"core.untrackedcache",
    b"core.worktree",
    b"extensions.",
    b"gc.",
    b"include.",
    b"includeif.",
    b"lfs.storage",
    b"maintenance.",
)
"""Settings that speak of the user's own git directory, by the beginnings of their names."""

_PUSHING = (b".pushurl", b".push", b".mirror", b".receivepack")


def make_clone(
    repository: Repository, workspace: Workspace, *, sparse: Collection[bytes] = ()
) -> None:
    """Make the agent's git directory, with HEAD on the job's branch, and let the workspace lead there.

    :param repository: the user's working tree; its sparse checkout is inherited.
    :param sparse: the folders that the workspace shall have, in place of what is inherited.
    """
    refs, symbolic = _users_refs(repository)
    (workspace.common_dir / "packed-refs").write_bytes(_replacing(refs))
    if workspace.head is not None:
        (workspace.common_dir / "HEAD").write_text(f"{workspace.head}\n")
    (workspace.common_dir / SNAPSHOT).write_bytes(refs)
    (workspace.common_dir / "gitdir").write_bytes(os.fsencode(workspace.path / ".git") + b"\n")
    staged = workspace.git_dir.with_name(f"{workspace.git_dir.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    make_layout(repository, staged)
    begin(workspace, staged)
    (staged / "packed-refs").write_bytes(refs)
    for git_dir in (workspace.common_dir, staged):
        (git_dir / "info" / "exclude").write_bytes(_rules(repository))
        if sparse:
            narrow(repository, git_dir, sparse)
    for name, target in symbolic.items():
        _write_ref(staged / name, f"ref: {target}")
    (staged / "config").write_bytes(b"".join(_configuration(repository, workspace)))
    staged.rename(workspace.git_dir)
    lead_to(workspace)


def give_index(workspace: Workspace) -> None:
    """Let the agent begin with the index that was made for it."""
    shutil.copy2(workspace.repository.index, workspace.git_dir / "index")


def begin(workspace: Workspace, git_dir: Path) -> None:
    """What a git directory of this workspace needs before anything else: objects, HEAD, its branch."""
    assert workspace.users_dir is not None
    quarantine = workspace.common_dir / "objects"
    # The objects lie equally deep in the directory's final place and in a staged one beside it.
    alternates_of(git_dir).write_bytes(borrowing(workspace.users_dir, git_dir, quarantine))
    (git_dir / "HEAD").write_bytes(b"ref: " + os.fsencode(workspace.branch_ref) + b"\n")
    if workspace.head is not None:
        _write_ref(git_dir / workspace.branch_ref, workspace.head)


def lead_to(workspace: Workspace) -> None:
    """Let the workspace's `.git` file name its git directory; a folder in its place stays."""
    file = workspace.path / ".git"
    if file.is_dir() and not file.is_symlink():
        return
    file.unlink(missing_ok=True)
    with file.open("xb") as fresh:  # whatever an agent may put there meanwhile is not followed
        fresh.write(b"gitdir: " + os.fsencode(workspace.git_dir) + b"\n")


def snapshot_of(workspace: Workspace) -> dict[str, str]:
    """The user's refs as the clone got them."""
    try:
        lines = (workspace.common_dir / SNAPSHOT).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (os.fsdecode(line).split(" ", 1) for line in lines)
    return {name: oid for oid, name in pairs}


def _users_refs(repository: Repository) -> tuple[bytes, dict[str, str]]:
    """The user's refs as a file of packed ones, and those that name others."""
    shape = "--format=%(symref) %(objectname) %(refname)"
    plain, symbolic = [], {}
    for line in repository.git.run("for-each-ref", shape).stdout.splitlines():
        target, oid, name = line.split(b" ", 2)
        if os.fsdecode(name).startswith(_HIDDEN):
            continue
        if target:
            symbolic[os.fsdecode(name)] = os.fsdecode(target)
        else:
            plain.append(oid + b" " + name + b"\n")
    return b"".join(plain), symbolic


def _rules(repository: Repository) -> bytes:
    """What the user's repository ignores, and workspaces of jobs that somebody runs in this one."""
    try:
        rules = (repository.common_dir / "info" / "exclude").read_bytes()
    except FileNotFoundError:
        rules = b""
    return rules + b"\n/" + FOLDER.encode() + b"\n"


def _replacing(refs: bytes) -> bytes:
    mark = b" " + REPLACING.encode()
    return b"".join(line for line in refs.splitlines(keepends=True) if mark in line)


def _write_ref(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(os.fsencode(text) + b"\n")


# -- settings


def _configuration(repository: Repository, workspace: Workspace) -> Iterator[bytes]:
    yield format_of(repository)
    remotes = []
    for name, value in _inherited(repository):
        section, _, rest = name.partition(b".")
        if section == b"remote" and rest.endswith(b".url"):
            remotes.append(rest.removesuffix(b".url"))
        yield _setting(name, value)
    for remote in dict.fromkeys(remotes):
        yield _setting(b"remote." + remote + b".pushurl", NO_PUSH.encode())
    yield _setting(b"core.hookspath", os.devnull.encode())
    yield _setting(b"gc.auto", b"0")
    yield _setting(b"maintenance.auto", b"false")
    lfs = repository.common_dir / "lfs"
    if lfs.is_dir():
        yield _setting(b"lfs.storage", os.fsencode(os.path.relpath(lfs, workspace.git_dir)))


def _inherited(repository: Repository) -> Iterator[tuple[bytes, bytes | None]]:
    """The settings of the user's repository and working tree, without those for all repositories."""
    fields = repository.git.fields("config", "--list", "--show-scope", "-z")
    for scope, entry in zip(fields[::2], fields[1::2], strict=True):
        name, has_value, value = entry.partition(b"\n")
        if scope in (b"local", b"worktree") and not _is_left_out(name):
            yield name, value if has_value else None


def _is_left_out(name: bytes) -> bool:
    pushes = name.startswith(b"remote.") and name.endswith(_PUSHING)
    return pushes or name.startswith(_NOT_INHERITED)


def _setting(name: bytes, value: bytes | None) -> bytes:
    section, _, key = name.rpartition(b".")
    section, has_subsection, subsection = section.partition(b".")
    head = b"[" + section
    if has_subsection:
        head += b' "' + subsection.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    told = b"" if value is None else b" = " + config_value(value)
    return head + b"]\n\t" + key + told + b"\n"
