"""A repository that an agent has: looked at without running git in it.

Its configuration, attributes and hooks may name programs. So its refs are read from their files, as
git's documentation of the repository's layout has them, and its objects by a repository of our own.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.git import Git, Repository
from sideshoot.workspace.places import facts, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sideshoot.workspace.place import Workspace

_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(rb"refs/[^\x00-\x20~^:?*\[\\\x7f]+")
_GIT_FILE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Refs:
    """What a repository's refs name."""

    head: str | None
    """The commit that is checked out; `None` before the first one."""
    own: Mapping[str, str]
    """Branches, tags and stash entries."""
    remote: frozenset[str]
    """What its remote-tracking branches name."""


def git_dir_of(workspace: Workspace, path: bytes) -> bytes | None:
    """The git directory of a repository in the workspace, if it is a place of the agent's own.

    That is a `.git` folder, or one in the workspace's own git directory, where git puts those of
    submodules. What a `.git` file says otherwise is not followed.
    """
    file = place(workspace.path, path + b"/.git")
    found = facts(workspace.path, path + b"/.git")
    if found is None or stat.S_ISDIR(found.st_mode):
        return file if found else None
    if not stat.S_ISREG(found.st_mode):
        return None
    with open(file, "rb") as text:
        told = text.read(_GIT_FILE_BYTES)
    if not told.startswith(b"gitdir: "):
        return None
    named = told.removeprefix(b"gitdir: ").rstrip(b"\r\n")
    target = os.path.realpath(os.path.join(place(workspace.path, path), named))
    modules = os.path.realpath(os.fsencode(workspace.git_dir / "modules"))
    inside = target.startswith(modules + b"/") and os.path.isdir(target)
    return target if inside else None


def reader_of(folder: Path, git_dir: Path, top: bytes, oid: str) -> Repository:
    """A repository of our own that sees the objects of another one."""
    own = folder / "reader"
    object_format = "sha256" if len(oid) == 64 else "sha1"
    options = ("--quiet", "--bare", "--template=", f"--object-format={object_format}")
    Git(folder).run("init", *options, str(own))
    objects = os.fsencode(git_dir / "objects")
    if b"\n" in objects:
        raise GitError(("init",), 128, b"fatal: its place has a line break in its name")
    (own / "objects" / "info").mkdir(exist_ok=True)
    (own / "objects" / "info" / "alternates").write_bytes(objects + b"\n")
    shallow = git_dir / "shallow"
    if shallow.is_file() and not shallow.is_symlink():
        (own / "shallow").write_bytes(shallow.read_bytes())
    return Repository(
        top=Path(os.fsdecode(top)), git_dir=own, common_dir=own, object_format=object_format
    )


def read_refs(git_dir: bytes) -> Refs:
    """All refs of a repository, from its files: to ask git in it would be to run what it says."""
    if os.path.isdir(git_dir + b"/reftable"):
        raise GitError(("for-each-ref",), 128, b"fatal: its refs are in a format of git's own")
    found = {**_packed(git_dir), **_loose(git_dir)}
    remote = {oid for name, oid in found.items() if name.startswith(b"refs/remotes/")}
    own = {
        os.fsdecode(name): oid
        for name, oid in found.items()
        if not name.startswith((b"refs/remotes/", b"refs/sideshoot/")) and _is_plain(name)
    }
    for number, oid in enumerate(_stashed(git_dir)):
        own[f"refs/sideshoot/stash/{number}"] = oid
    head = _read(git_dir + b"/HEAD").strip()
    target = head.removeprefix(b"ref:").strip()
    named = found.get(target) if head.startswith(b"ref:") else _oid(head)
    return Refs(named, own, frozenset(remote))


def _packed(git_dir: bytes) -> dict[bytes, str]:
    found = {}
    for line in _read(git_dir + b"/packed-refs").splitlines():
        oid, _, name = line.partition(b" ")
        if _OID.fullmatch(oid) and name.startswith(b"refs/"):
            found[name] = oid.decode()
    return found


def _loose(git_dir: bytes) -> dict[bytes, str]:
    found = {}
    for folder, _, names in os.walk(git_dir + b"/refs"):
        for name in names:
            oid = _oid(_read(folder + b"/" + name).strip())
            if oid:
                found[(folder + b"/" + name)[len(git_dir) + 1 :]] = oid
    return found


def _stashed(git_dir: bytes) -> Iterator[str]:
    for line in _read(git_dir + b"/logs/refs/stash").splitlines():
        words = line.split(b" ", 2)
        if len(words) == 3 and _OID.fullmatch(words[1]):
            yield words[1].decode()


def _oid(word: bytes) -> str | None:
    return word.decode() if _OID.fullmatch(word) else None


def _is_plain(name: bytes) -> bool:
    """Whether git allows the name (git-check-ref-format); one that leads elsewhere stops it."""
    if _NAME.fullmatch(name) is None or b".." in name or b"@{" in name or name.endswith(b"."):
        return False
    return not any(
        part == b"" or part.startswith(b".") or part.endswith(b".lock") for part in name.split(b"/")
    )


def _read(file: bytes) -> bytes:
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):
            return b""
        with open(file, "rb") as content:
            return content.read()
    except FileNotFoundError:
        return b""
