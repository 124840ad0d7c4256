"""An independent answer to what a run must bring: the same edits made in a plain copy.

A twin is a copy of the user's repository in which a test does what the agent is to do. Whatever the
twin then looks like is what the user's tree has to look like after `keep`.
"""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING, Any

from support.repos import Repo, as_git_sees

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command, Result
    from support.repos import Tree


def twin_of(repo: Repo, folder: Path) -> Repo:
    """A copy of the working tree with a git directory of its own."""
    shutil.copytree(
        repo.top, folder, symlinks=True, ignore=shutil.ignore_patterns(".worktrees", "sideshoot")
    )
    return Repo(folder)


def become(twin: Repo) -> str:
    """The shell script of an agent that makes its tree like the twin's, whatever it takes."""
    source = shlex.quote(str(twin.top))
    return (
        "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} + && "
        f"tar -C {source} --exclude=./.git --exclude=./.worktrees -cf - . | tar -xpf -"
    )


def expected(twin: Repo) -> tuple[Tree, Tree]:
    """The tree and the index that the user must have once the twin's edits are kept and staged."""
    twin.git("add", "-A")
    ignored = twin.git("ls-files", "-o", "-i", "--exclude-standard", "-z").split(b"\0")
    tree = {path: found for path, found in twin.tree().items() if path not in ignored}
    return tree, twin.staged()


def settled(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """A fingerprint without the exact bytes of the index file, in which git notes times."""
    return {name: found for name, found in fingerprint.items() if name != "index file"}


class Round:
    """The whole way of a piece of work, each step checked: run, look, keep, undo."""

    def __init__(self, repo: Repo, sideshoot: Command, twin: Repo) -> None:
        self.repo = repo
        self.sideshoot = sideshoot
        self.twin = twin
        self.before: dict[str, Any] = {}
        self.job: dict[str, Any] = {}

    def run(self, script: str = "", *options: str, **how: Any) -> dict[str, Any]:
        """Run the agent; nothing of the user's may change, whatever it did."""
        self.before = self.repo.fingerprint()
        self.job = self.sideshoot.run(script or become(self.twin), *options, **how)
        assert self.repo.fingerprint() == self.before
        return self.job

    def keep(self, *options: str, **how: Any) -> Result:
        """Keep it: the tree and the index are those of the twin, byte for byte."""
        tree, index = expected(self.twin)
        done = self.sideshoot("keep", self.job["job_id"], *options, **how).ok()
        assert as_git_sees(self.repo.tree()) == as_git_sees(tree)
        assert self.repo.staged() == index
        return done

    def undo(self, **how: Any) -> Result:
        """Undo it: everything is as it was before the run."""
        done = self.sideshoot("undo", self.job["job_id"], **how).ok()
        assert settled(self.repo.fingerprint()) == settled(self.before)
        return done

    def whole(self, script: str = "", *options: str, **how: Any) -> dict[str, Any]:
        """All of it."""
        self.run(script, *options, **how)
        self.keep(**how)
        self.undo(**how)
        return self.job
