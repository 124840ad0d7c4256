"""What an agent did in submodules: commits, branches, stashes, and changes that it did not commit.

The repository of a submodule in a workspace lies in the workspace's git directory and goes with it.
So what is new in it is put into a bundle (git-bundle), and the bundle into the user's object store
under a ref of the job's. A bundle holds what the user's own copy of the submodule lacks, and never
makes the user's repository depend on history that it does not have.

No git runs in the agent's repository: a repository of our own reads its objects, so that nothing
that it configures can run.
"""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git import Git
from sideshoot.git.command import rest_of
from sideshoot.git.repository import IDENTITY
from sideshoot.git.trees import gitlinks
from sideshoot.text import show_path
from sideshoot.workspace.foreign import Refs, git_dir_of, read_refs, reader_of
from sideshoot.workspace.inner import store
from sideshoot.workspace.looking import looking
from sideshoot.workspace.places import facts, place
from sideshoot.workspace.scratch import scratch, with_copy
from sideshoot.workspace.snapshot import Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

_HEAD = "refs/sideshoot/head"
_DIRTY = "refs/sideshoot/uncommitted"
_PATCH = "uncommitted.patch"
"""A view for people of what was not committed; the bundle holds the same as a commit."""


@dataclass(frozen=True, slots=True)
class SubmoduleWork:
    """What is new in one submodule."""

    path: bytes
    head: str | None
    """The commit that is checked out there; `None` before the first one."""
    moved: bool
    """Whether that is another one than the workspace began with."""
    commit: str | None
    """Holds the bundle; `None` where there is nothing that the user could lack."""
    warnings: tuple[str, ...] = ()
    whole: bool = False
    """It can't be read this way, and has to be archived as it lies there."""


def save_submodules(
    repository: Repository,
    workspace: Workspace,
    submodules: Sequence[tuple[bytes, str]],
    *,
    first: int = 0,
) -> list[SubmoduleWork]:
    """Put what is new in the workspace's submodules under `inner_ref`; can be repeated.

    :param submodules: those that it began with: paths and commits.
    :param first: the number of the first ref to be used.
    """
    works: list[SubmoduleWork] = []
    waiting = list(submodules)
    while waiting:
        path, oid = waiting.pop(0)
        git_dir = git_dir_of(workspace, path)
        if git_dir is not None:
            number = first + sum(work.commit is not None for work in works)
            work, inside = _look_into(
                repository, workspace, path, oid, git_dir=git_dir, number=number
            )
            waiting += inside
            works += [work] if work else []
    return works


def stray_folders(workspace: Workspace, submodules: Sequence[tuple[bytes, str]]) -> list[bytes]:
    """Folders of submodules that hold files but no repository of the agent's.

    git looks at nothing in them, since its index says that a repository lies there.
    """
    stray = []
    for path, _ in submodules:
        found = facts(workspace.path, path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            full = bool(os.listdir(place(workspace.path, path)))
            if full and git_dir_of(workspace, path) is None and not _tracked(workspace, path):
                stray.append(path)
    return stray


def bring_submodule(repository: Repository, job_id: str, path: bytes, commit: str) -> str:
    """Fetch saved work into the user's own repository of the submodule; say where it is now."""
    shown = show_path(path)
    spec = f"+refs/*:refs/sideshoot/{job_id}/*"
    top = Path(os.fsdecode(place(repository.top, path)))
    with scratch(repository) as folder:
        bundle = folder / "bundle"
        with bundle.open("wb") as file:
            repository.git.copy_blob(f"{commit}:bundle", file)
        try:
            if _is_repository(top):
                options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow")
                Git(top).run("fetch", *options, str(bundle), spec)
                return f"the agent's commits in {shown} are in your submodule, below refs/sideshoot/{job_id}/"
        except GitError as error:
            reason = error.reason
        else:
            reason = "you have not set it up here"
    name = shlex.quote(os.fsdecode(path))
    return (
        f"the agent's commits in the submodule {shown} could not be brought ({reason}); "
        f'`git cat-file blob {commit}:bundle > work.bundle && git -C {name} fetch "$PWD/work.bundle" '
        f"'{spec}'` does it"
    )


def _look_into(
    repository: Repository,
    workspace: Workspace,
    path: bytes,
    oid: str,
    *,
    git_dir: bytes,
    number: int,
) -> tuple[SubmoduleWork | None, list[tuple[bytes, str]]]:
    with scratch(repository) as folder:
        try:
            refs = read_refs(git_dir)
            reader = reader_of(folder, Path(os.fsdecode(git_dir)), place(workspace.path, path), oid)
            git = reader.git.having(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
            _adopt(git, refs)
            dirty, seen = _snapshot(reader, git, refs.head, git_dir, folder)
            bundle = _bundle(git, {oid, *refs.remote}, folder)
            inside = [
                (path + b"/" + inner, link)
                for inner, link in gitlinks(git.with_index(folder / "index"), folder / "index")
            ]
        except (GitError, CaptureFailed) as error:
            note = f"the submodule {show_path(path)} can't be read ({error}); it is saved as it is"
            return SubmoduleWork(path, None, False, None, (note,), whole=True), []
        moved = refs.head is not None and refs.head != oid
        commit = _hold(repository, workspace, path, bundle, number) if bundle else None
    if not moved and commit is None:
        return None, inside
    warnings = _warnings(workspace, path, seen, commit, dirty=dirty)
    return SubmoduleWork(path, refs.head, moved, commit, tuple(warnings)), inside


def _adopt(git: Git, refs: Refs) -> None:
    wanted = dict(refs.own)
    if refs.head:
        wanted[_HEAD] = refs.head
    commands = "".join(f"create {name} {oid}\n" for name, oid in wanted.items())
    git.run("update-ref", "--stdin", stdin=os.fsencode(commands))


def _snapshot(
    reader: Repository, git: Git, head: str | None, git_dir: bytes, folder: Path
) -> tuple[bool, Snapshot]:
    """Make a commit of the files as they lie there, if they differ from what is checked out."""
    indexed = with_copy(git, Path(os.fsdecode(git_dir + b"/index")), folder / "index")
    with looking(indexed) as look:
        seen = snapshot(reader, indexed, look.found())
    before = git.text("rev-parse", f"{head}^{{tree}}") if head else reader.empty_tree
    if seen.tree == before:
        return False, seen
    # Always the same for the same files, so that a second capture finds nothing new.
    dated = git.having(**IDENTITY, GIT_AUTHOR_DATE="@0 +0000", GIT_COMMITTER_DATE="@0 +0000")
    parent = ["-p", head] if head else []
    commit = dated.text("commit-tree", seen.tree, *parent, "-m", "sideshoot: not committed")
    git.run("update-ref", _DIRTY, commit)
    shape = ("--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
    with (folder / _PATCH).open("wb") as file:
        argv = ("diff", *shape, before, seen.tree)
        rest_of(argv, git.start(*argv, stdout=file.fileno()))
    return True, seen


def _bundle(git: Git, known: set[str], folder: Path) -> Path | None:
    """All that is new, as one file; `None` if nothing is."""
    names = "".join(f"{oid}^{{commit}}\n" for oid in sorted(known))
    answer = git.run("cat-file", "--batch-check=%(objectname)", stdin=names.encode())
    there = [line for line in answer.stdout.decode().splitlines() if " " not in line]
    words = "".join(f"^{oid}\n" for oid in there).encode()
    if not git.run("rev-list", "--max-count=1", "--all", "--stdin", stdin=words).stdout:
        return None
    bundle = folder / "bundle"
    same = git.configured({"pack.threads": "1"})  # more of them make other bytes each time
    same.run("bundle", "create", "--quiet", str(bundle), "--all", "--stdin", stdin=words)
    return bundle


def _hold(
    repository: Repository, workspace: Workspace, path: bytes, bundle: Path, number: int
) -> str:
    lines = []
    for part in (bundle, bundle.with_name(_PATCH)):
        if part.exists():
            with part.open("rb") as file:
                lines.append(f"100644 blob {repository.git.hash_file(file)}\t{part.name}\n")
    tree = repository.git.text("mktree", stdin="".join(lines).encode())
    message = f"sideshoot: what is new in the submodule {show_path(path)}"
    return store(repository, workspace.job_id, number, tree, message)


def _tracked(workspace: Workspace, path: bytes) -> bool:
    """Whether the agent's index has files there: they are part of the result then."""
    literal = workspace.repository.git.having(GIT_LITERAL_PATHSPECS="1")
    answer = literal.run("ls-files", "-z", "--", os.fsdecode(path) + "/", accept=(0, 128))
    return any(found.startswith(path + b"/") for found in answer.lines)


def _is_repository(top: Path) -> bool:
    if not os.path.lexists(top / ".git"):
        return False
    found = Git(top).run("rev-parse", "--show-toplevel").stdout.removesuffix(b"\n")
    return os.path.realpath(found) == os.path.realpath(os.fsencode(top))


def _warnings(
    workspace: Workspace, path: bytes, seen: Snapshot, commit: str | None, *, dirty: bool
) -> list[str]:
    shown = show_path(path)
    warnings = []
    if commit is not None:
        warnings.append(f"the agent's work in the submodule {shown} is saved in {commit}")
    if dirty:
        name = shlex.quote(os.fsdecode(path))
        warnings.append(
            f"changes in the submodule {shown} were not committed, so a keep leaves them out; "
            f"`{workspace.shell_git} cat-file blob {commit}:{_PATCH} | git -C {name} apply` brings them"
        )
    warnings += [
        f"{shown}/{show_path(file)} is neither file nor link, and git can't hold it"
        for file in seen.special
    ]
    return warnings
