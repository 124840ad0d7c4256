"""A repository as one working tree of it sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sideshoot.errors import GitError, NotARepository
from sideshoot.git.command import MINIMUM_VERSION, Git, ask_version

EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The id of a tree without entries, by the repository's object format."""

IDENTITY = {
    "GIT_AUTHOR_NAME": "Sideshoot",
    "GIT_AUTHOR_EMAIL": "sideshoot@localhost",
    "GIT_COMMITTER_NAME": "Sideshoot",
    "GIT_COMMITTER_EMAIL": "sideshoot@localhost",
}
"""Who makes the commits that hold bases and results; users need no identity for those."""


@dataclass(frozen=True)
class Repository:
    """One working tree and the git directory behind it.

    `top` is the working tree's top folder, `git_dir` its own git directory (that of a linked
    worktree lies in the common one), `common_dir` what all working trees share, and `git` runs git
    with these three named outright.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    version: tuple[int, ...] = (2, 38)
    object_dir: Path | None = None
    """Where new objects go, if not among the others of the repository; it borrows those."""

    @cached_property
    def git(self) -> Git:
        git = Git(self.top).at(git_dir=self.git_dir, common_dir=self.common_dir, work_tree=self.top)
        return git.having(GIT_OBJECT_DIRECTORY=str(self.object_dir)) if self.object_dir else git

    @property
    def index(self) -> Path:
        """The index of this working tree."""
        return self.git_dir / "index"

    @property
    def state_dir(self) -> Path:
        """Where Sideshoot keeps what it knows of this repository."""
        return self.common_dir / "sideshoot"

    @property
    def empty_tree(self) -> str:
        return EMPTY_TREE[self.object_format]

    @property
    def null_id(self) -> str:
        """What git writes where there is no object."""
        return "0" * len(self.empty_tree)

    def head(self) -> str | None:
        """The commit that HEAD names, or `None` before the first one."""
        answer = self.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1))
        return answer.text or None

    def objects(self, *names: str) -> list[str | None]:
        """The objects that these names mean, in one call; `None` for a name that means nothing.

        :param names: revisions without a line break, in any of git's ways to write one.
        """
        answer = self.git.run(
            "cat-file",
            "--batch-check=%(objectname)",
            stdin="".join(f"{n}\n" for n in names).encode(),
        )
        lines = answer.stdout.decode("utf-8", "replace").splitlines()
        return [None if line.endswith((" missing", " ambiguous")) else line for line in lines]

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names, or `None` if there is none."""
        answer = self.git.run(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{revision}^{{commit}}",
            accept=(0, 1, 128),
        )
        return answer.text if answer.status == 0 and answer.text else None

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self.git.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def ref(self, name: str) -> str | None:
        """The object that a ref names, or `None`."""
        answer = self.git.run("rev-parse", "--verify", "--quiet", name, accept=(0, 1, 128))
        return answer.text if answer.status == 0 and answer.text else None

    def commit(self, tree: str, *, parents: tuple[str, ...] = (), message: str) -> str:
        """Make a commit of Sideshoot's own; no ref names it yet."""
        options = [word for parent in dict.fromkeys(parents) for word in ("-p", parent)]
        git = self.git.having(**IDENTITY)
        return git.text("commit-tree", tree, *options, "-F", "-", stdin=message.encode())


def discover(folder: Path, *, only_to_look: bool = False) -> Repository:
    """The repository whose working tree holds `folder`.

    :param only_to_look: spare asking for git's version, which a command that reads records has no
        need of.
    :raises NotARepository: there is none, it is bare, or it belongs to somebody whom git does not
        trust here.
    :raises GitUnusable: git is missing or too old.
    """
    if not folder.is_dir():
        raise NotARepository(f"there is no folder {folder}")
    git = Git(folder)
    version = None if only_to_look else ask_version(git)
    try:
        facts = _facts(git)
    except GitError as error:
        (version or ask_version(git))()  # one that is too old may not know the question
        raise NotARepository(_why(git, folder, error)) from None
    number = version() if version else MINIMUM_VERSION
    top, git_dir, common_dir, object_format = facts
    return Repository(
        _as_path(top), _as_path(git_dir), _as_path(common_dir), object_format.decode(), number
    )


def _as_path(answer: bytes) -> Path:
    return Path(os.fsdecode(answer))


def _facts(git: Git) -> list[bytes]:
    """Top folder, git directory, common directory and object format, by one process."""
    options = ("--show-toplevel", "--git-dir", "--git-common-dir", "--show-object-format")
    answer = git.run("rev-parse", "--path-format=absolute", *options)
    lines = answer.stdout.removesuffix(b"\n").split(b"\n")
    if len(lines) > len(options):  # a path holds a line break
        lines = [_answer(git, option) for option in options]
    return lines


def _answer(git: Git, option: str) -> bytes:
    return git.run("rev-parse", "--path-format=absolute", option).stdout.removesuffix(b"\n")


def _why(git: Git, folder: Path, error: GitError) -> str:
    if b"dubious ownership" in error.stderr:
        return (
            f"the repository at {folder} belongs to another user; "
            f"`git config --global --add safe.directory {folder}` allows it"
        )
    bare = git.run("rev-parse", "--is-bare-repository", accept=(0, 128))
    if bare.text == "true":
        return f"{folder} is a bare repository; run this in a working tree"
    if b"must be run in a work tree" in error.stderr:
        return f"{folder} lies inside a git directory; run this in the working tree"
    return f"{folder} is not in a git repository; run this in one, or name one with -C"
