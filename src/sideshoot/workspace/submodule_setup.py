"""Set up in a new workspace the submodules that the user has set up, from the user's own copies.

Each gets a repository of its own, where git puts those of a worktree: in `modules/` of the
workspace's git directory. It borrows the objects of the user's (gitrepository-layout,
"objects/info/alternates"), so that nothing is fetched and next to nothing is copied; what the agent
commits lands in its own. It knows the user's remote-tracking branches and tags, not their branches.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.git import Git
from sideshoot.git.trees import gitlinks
from sideshoot.text import show_path
from sideshoot.workspace.places import facts, place

if TYPE_CHECKING:
    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

_MODULES = ".gitmodules"
_REFS = ("for-each-ref", "--format=%(if)%(symref)%(then)%(else)%(objectname) %(refname)%(end)")


@dataclass(frozen=True, slots=True)
class _Pair:
    """A working tree of the user's, its twin in the workspace, and where that keeps repositories."""

    users: Path
    ours: Path
    modules: Path
    git: Git
    """git in the twin."""
    shown: str = ""
    """The way to it from the top."""


@dataclass(frozen=True, slots=True)
class _Link:
    path: bytes
    commit: str


def set_up_submodules(repository: Repository, workspace: Workspace) -> list[str]:
    """Make the submodules that the user has set up usable in the new workspace.

    :param repository: the user's working tree.
    :return: what the user should know, one line each.
    """
    git = workspace.repository.git.with_index(workspace.private_index)
    top = _Pair(repository.top, workspace.path, workspace.git_dir / "modules", git)
    notes: list[str] = []
    waiting = [(top, _Link(*link)) for link in gitlinks(git, workspace.private_index)]
    while waiting:
        pair, link = waiting.pop(0)
        if not _is_set_up(pair, link):
            continue
        try:
            inner, told = _set_up(pair, link)
        except (GitError, OSError) as error:
            notes.append(_empty(pair, link, error))
            continue
        notes += told
        waiting += [
            (inner, _Link(*it)) for it in gitlinks(inner.git, inner.modules.parent / "index")
        ]
    return notes


def _is_set_up(pair: _Pair, link: _Link) -> bool:
    """Whether the user has a repository there, and the workspace an empty folder for one."""
    folder = facts(pair.ours, link.path)
    return (
        facts(pair.users, link.path + b"/.git") is not None
        and folder is not None
        and stat.S_ISDIR(folder.st_mode)
        and not os.listdir(place(pair.ours, link.path))
    )


def _set_up(pair: _Pair, link: _Link) -> tuple[_Pair, list[str]]:
    users = _place(pair.users, link)
    theirs = Git(users)
    source, objects = _git_dir(theirs, users)
    _refuse_missing(theirs, link)
    ours = _place(pair.ours, link)
    git_dir = pair.modules / _name(pair, link)
    _make_repository(source, objects, git_dir)
    _know_refs(theirs, git_dir)
    file = ("config", "--file", str(git_dir / "config"))
    pair.git.run(*file, "core.worktree", os.path.relpath(ours, git_dir))
    pair.git.run(*file, "core.bare", "false")
    git = Git(ours).at(git_dir=git_dir, common_dir=git_dir, work_tree=ours)
    (git_dir / "HEAD").write_text(f"{link.commit}\n")
    git.run("read-tree", "--reset", "-u", link.commit)
    (ours / ".git").write_bytes(b"gitdir: " + os.fsencode(os.path.relpath(git_dir, ours)) + b"\n")
    inner = _Pair(users, ours, git_dir / "modules", git, _shown(pair, link) + "/")
    return inner, _differences(theirs, pair, link)


def _refuse_missing(theirs: Git, link: _Link) -> None:
    argv = ("cat-file", "-e", f"{link.commit}^{{commit}}")
    if theirs.run(*argv, accept=(0, 1, 128)).status:
        lacking = f"fatal: your copy of it lacks the commit {link.commit[:10]}"
        raise GitError(argv, 128, f"{lacking}; `git submodule update` here gets it".encode())


def _git_dir(git: Git, top: Path) -> tuple[Path, Path]:
    """The git directory of the user's submodule, and where its objects are."""
    words = ("--show-toplevel", "--absolute-git-dir", "--git-path", "objects")
    answer = git.run("rev-parse", "--path-format=absolute", *words)
    lines = [Path(os.fsdecode(line)) for line in answer.stdout.removesuffix(b"\n").split(b"\n")]
    if len(lines) != len(words) - 1:
        raise GitError(words, 128, b"fatal: its place has a line break in its name")
    shown, git_dir, objects = lines
    if os.path.realpath(shown) != os.path.realpath(top):
        raise GitError(words, 128, b"fatal: its .git leads elsewhere")
    if (git_dir / "reftable").is_dir():
        raise GitError(words, 128, b"fatal: its refs are in a format of git's own")
    return git_dir, objects


def _name(pair: _Pair, link: _Link) -> str:
    """What .gitmodules calls it, for git looks for its repository by that name."""
    wanted = os.fsdecode(link.path)
    asked = (
        "config",
        "--file",
        str(pair.ours / _MODULES),
        "-z",
        "--get-regexp",
        r"^submodule\..*\.path$",
    )
    for record in pair.git.run(*asked, accept=(0, 1)).lines:
        key, _, path = os.fsdecode(record).partition("\n")
        if path == wanted:
            name = key.removeprefix("submodule.").removesuffix(".path")
            return name if _is_plain(name) else wanted
    return wanted


def _is_plain(name: str) -> bool:
    """Whether a name leads no further than into the folder of repositories, as git demands it."""
    words = name.replace("\\", "/").split("/")
    return not {"", ".", ".."} & {*words}


def _make_repository(source: Path, objects: Path, git_dir: Path) -> None:
    (git_dir / "objects" / "info").mkdir(parents=True)
    (git_dir / "refs").mkdir()
    (git_dir / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
    # As in a worktree, the user's settings hold: names of remotes, filters, who commits.
    shutil.copyfile(source / "config", git_dir / "config")
    if (source / "shallow").is_file():
        shutil.copyfile(source / "shallow", git_dir / "shallow")


def _know_refs(theirs: Git, git_dir: Path) -> None:
    found = theirs.run(*_REFS, "refs/remotes", "refs/tags").stdout
    (git_dir / "packed-refs").write_bytes(b"".join(_lines(found)))


def _lines(text: bytes) -> list[bytes]:
    return [line + b"\n" for line in text.split(b"\n") if line]


def _differences(theirs: Git, pair: _Pair, link: _Link) -> list[str]:
    """What the user has in the submodule and the workspace has not."""
    shown = _shown(pair, link)
    head = theirs.run("rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1, 128)).text
    if head != link.commit:
        ours = f"in the workspace at {link.commit[:10]}, which is what your index has"
        return [f"the submodule {shown} is at {head[:10] or 'no commit'} with you, and {ours}"]
    if theirs.run("status", "--porcelain", "-z", "--ignore-submodules=all").stdout:
        return [f"what you have not committed in the submodule {shown} is not in the workspace"]
    return []


def _empty(pair: _Pair, link: _Link, error: GitError | OSError) -> str:
    """Leave the folder as git would have left it, and say why."""
    ours = _place(pair.ours, link)
    for entry in list(ours.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    shutil.rmtree(pair.modules / _name(pair, link), ignore_errors=True)
    reason = error.reason if isinstance(error, GitError) else error.strerror
    return f"the submodule {_shown(pair, link)} is empty in the workspace: {reason}"


def _place(top: Path, link: _Link) -> Path:
    return Path(os.fsdecode(place(top, link.path)))


def _shown(pair: _Pair, link: _Link) -> str:
    return pair.shown + show_path(link.path)
