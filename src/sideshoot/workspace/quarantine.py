"""The repository that holds what was done in a quarantined clone, apart from the user's own.

It lies in the job's folder, borrows the objects of the user's repository (gitrepository-layout,
"objects/info/alternates"), and has refs of its own. The agent has a git directory beside it
(`clone_setup`) and can't write here, so what git reads here can be believed. The user's configuration
is in force by an `include`, so that their filters do what they do in their own tree.

Nothing of it is in the user's repository until it is kept: `bring_home`. What it needs of theirs is
what is reachable from the commit that the job began at, which `borrow` puts under a ref there; of
everything else it has a copy (`settle`), for the user may delete branches and collect garbage.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.git.packs import copy_objects
from sideshoot.workspace.refs import borrowed_ref, job_refs
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.base import Base
    from sideshoot.workspace.place import Workspace

QUARANTINE = "quarantine"
CLONE = "clone"

_INFO = ("attributes", "grafts")
_DEPTH = 5
"""git goes no further from one repository to the next."""


def quarantine_in(folder: Path) -> Path:
    """Where the quarantine of the job with this folder lies."""
    return folder / QUARANTINE


def clone_in(folder: Path) -> Path:
    """Where the agent's own git directory lies."""
    return folder / CLONE


def make_quarantine(repository: Repository, folder: Path) -> Repository:
    """Make an empty one, and return it.

    :param repository: the user's working tree.
    :param folder: the job's, in the repository's state directory.
    """
    place = quarantine_in(folder)
    shutil.rmtree(place, ignore_errors=True)  # a crash may have left a part of one
    make_layout(repository, place)
    (place / "HEAD").write_text("ref: refs/heads/sideshoot\n")
    (place / "config").write_bytes(_configuration(repository, place))
    reached("clone.quarantined")
    return quarantine_of(repository, folder)


def make_layout(repository: Repository, place: Path) -> None:
    """What every git directory has that borrows the user's objects, but for HEAD and configuration."""
    for name in ("objects/info", "objects/pack", "refs", "info"):
        (place / name).mkdir(parents=True)
    alternates_of(place).write_bytes(borrowing(repository.common_dir, place))
    for name in _INFO:
        _copy(repository.common_dir / "info" / name, place / "info" / name)
    _copy(repository.common_dir / "shallow", place / "shallow")
    # The only one of these that belongs to a working tree.
    _copy(repository.git_dir / "info" / "sparse-checkout", place / "info" / "sparse-checkout")


def alternates_of(place: Path) -> Path:
    """The file in which a git directory names the objects that it borrows."""
    return place / "objects" / "info" / "alternates"


def borrowing(common_dir: Path, place: Path, *more: Path) -> bytes:
    """What that file says: relative to `place`, so that the user can move the repository.

    :param more: folders of objects to be named before the user's.
    """
    users = common_dir / "objects"
    near = [_relative(one, place / "objects") for one in (*more, users)]
    far = [os.fsencode(one) for one in _borrowed_by(users)]
    return b"".join(_quoted(one) + b"\n" for one in dict.fromkeys([*near, *far]))


def quarantine_of(repository: Repository, folder: Path) -> Repository:
    """The quarantine as a repository, for calls that have to do with no file."""
    place = quarantine_in(folder)
    return replace(repository, top=place, git_dir=place, common_dir=place, object_dir=None)


def seeing(repository: Repository, folder: Path) -> Repository:
    """The user's repository with what the quarantine has; new objects go there, and refs must not."""
    return replace(repository, object_dir=quarantine_in(folder) / "objects")


def borrow(repository: Repository, holder: Repository, job_id: str, base: Base) -> None:
    """See to it that what a workspace starts with stays, whatever the user does with their refs.

    Their commit gets a ref in their repository, and of their uncommitted changes there is a copy.
    """
    if base.head is not None:
        repository.git.run("update-ref", borrowed_ref(job_id), base.head)
    own = [oid for oid in (base.commit, base.index_tree) if oid and oid != base.head]
    if own:
        settle(holder, own, [base.head] if base.head else [])


def settle(holder: Repository, tips: Collection[str], known: Collection[str]) -> None:
    """Copy into the quarantine what is reachable from `tips`, but for what is from `known`."""
    from sideshoot.workspace.scratch import scratch  # noqa: PLC0415 - not to look at a job's work

    with scratch(holder) as folder:
        copy_objects(holder.git, holder.git, tips, known=known, scratch=folder)
    holder.git.run("prune-packed", "--quiet")


def settle_work(workspace: Workspace, commit: str) -> None:
    """Have a copy of all that a result needs, before a ref holds it."""
    known = dict.fromkeys(oid for oid in (workspace.head, workspace.base) if oid)
    held = refs_below(workspace.holder, job_refs(workspace.job_id))
    settle(workspace.holder, {commit, *held.values()} - {*known}, [*known])
    reached("clone.settled")


def refs_below(repository: Repository, prefix: str) -> dict[str, str]:
    """The refs whose names begin with `prefix`, and their objects."""
    answer = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", prefix)
    pairs = (os.fsdecode(line).split(" ", 1) for line in answer.stdout.splitlines())
    return {name: oid for oid, name in pairs}


def bring_home(repository: Repository, holder: Repository, job_id: str, head: str | None) -> None:
    """Copy into the user's repository what a job's refs hold and it lacks, and the refs; repeatable.

    The agent's other branches, and whatever it made on the way, stay behind.
    """
    from sideshoot.workspace.scratch import scratch  # noqa: PLC0415 - as in `settle`

    refs = refs_below(holder, job_refs(job_id))
    known = [head] if head else []
    with scratch(holder) as folder:
        copy_objects(
            holder.git, repository.git, {*refs.values()}, known=known, only_own=True, scratch=folder
        )
    reached("clone.copied")
    commands = "".join(f"update {name} {oid}\n" for name, oid in refs.items())
    repository.git.run("update-ref", "--stdin", stdin=os.fsencode(commands))


def _configuration(repository: Repository, place: Path) -> bytes:
    files = [repository.common_dir / "config"]
    if _is_on(repository, "extensions.worktreeConfig"):
        files.append(repository.git_dir / "config.worktree")
    lines = [
        b"[include]\n",
        *(b"\tpath = " + config_value(_relative(f, place)) + b"\n" for f in files),
    ]
    return b"".join([format_of(repository), *lines, *_sharing(repository, place)])


def format_of(repository: Repository) -> bytes:
    """The part of a configuration that says how objects are stored; git looks into no include for it."""
    promisor = repository.git.run("config", "extensions.partialClone", accept=(0, 1)).stdout
    lines = []
    if repository.object_format != "sha1":
        lines.append(f"\tobjectFormat = {repository.object_format}\n".encode())
    if promisor:
        lines.append(b"\tpartialClone = " + config_value(promisor.rstrip(b"\n")) + b"\n")
    version = b"\trepositoryFormatVersion = %d\n" % bool(lines)
    extensions = [b"[extensions]\n", *lines] if lines else []
    return b"".join([b"[core]\n", version, b"\tbare = false\n", *extensions])


def _sharing(repository: Repository, place: Path) -> Iterator[bytes]:
    # git-lfs looks for its objects in the git directory, and finds those of the user's here.
    if (repository.common_dir / "lfs").is_dir():
        yield b"[lfs]\n\tstorage = " + config_value(_relative(repository.common_dir / "lfs", place))
        yield b"\n"


def _is_on(repository: Repository, name: str) -> bool:
    answer = repository.git.run("config", "--type=bool", name, accept=(0, 1, 128))
    return answer.text == "true"


def _borrowed_by(objects: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """The folders that the user's own objects borrow from, and those that these do."""
    try:
        lines = (objects / "info" / "alternates").read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        if line and not line.startswith((b"#", b'"')):
            found = objects / os.fsdecode(line)  # An absolute one replaces all before it.
            yield found
            if depth > 1:
                yield from _borrowed_by(found, depth - 1)


def _relative(path: Path, folder: Path) -> bytes:
    return os.fsencode(os.path.relpath(path, folder))


def _quoted(path: bytes) -> bytes:
    """A line of a file of alternates, which can be quoted as C does it."""
    if b"\n" not in path and not path.startswith((b"#", b'"')):
        return path
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def config_value(text: bytes) -> bytes:
    """A value in a configuration file (git-config, "Syntax")."""
    for plain, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\t", b"\\t")):
        text = text.replace(plain, escaped)
    return b'"' + text + b'"'


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copyfile(source, target)
