"""A workspace as its record describes it: names and places, whether or not they exist yet."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sideshoot.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Git
    from sideshoot.model import JobId


@dataclass(frozen=True)
class Workspace:
    """The working tree that a job has to itself: a linked one, or a quarantined clone.

    `path` is its top folder, `git_dir` the git directory that the agent has, `common_dir` where the
    job's work is held, `branch` the job's branch (without `refs/heads/`), `head` the commit that the
    branch began at (`None` in a repository without one) and `base` the commit that holds what the
    files were at the beginning.

    The common directory of a linked working tree is the user's, and `git_dir` lies in it; that of a
    clone is a quarantine (see `sideshoot.workspace.quarantine`).
    """

    job_id: JobId
    path: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    branch: str
    head: str | None
    base: str
    version: tuple[int, ...] = (2, 38)
    """The git that serves it."""
    users_dir: Path | None = None
    """The user's common git directory, if the workspace is a clone and shares none with them."""

    @property
    def is_clone(self) -> bool:
        """Whether the agent's git directory is a repository of its own."""
        return self.users_dir is not None

    @property
    def state_dir(self) -> Path:
        """Where Sideshoot keeps what it knows of the user's repository."""
        return (self.users_dir or self.common_dir) / "sideshoot"

    @property
    def holder(self) -> Repository:
        """The repository whose refs hold the work, for calls that have to do with no file."""
        return replace(self.repository, top=self.common_dir, git_dir=self.common_dir)

    @cached_property
    def repository(self) -> Repository:
        """The only way to run git in a workspace: no file that lies in it says which repository
        is meant."""
        return Repository(
            top=self.path,
            git_dir=self._own_dir,
            common_dir=self.common_dir,
            object_format=self.object_format,
            version=self.version,
        )

    @property
    def private_index(self) -> Path:
        """An index of the base's tree with the files' stat data, which the agent is not told of."""
        return self._own_dir / "sideshoot-index"

    @property
    def included_index(self) -> Path:
        """The private index with what was copied for `.worktreeinclude`, if anything was."""
        return self._own_dir / "sideshoot-included"

    @property
    def known_index(self) -> Path:
        """The index of all that the workspace was opened with."""
        included = self.included_index
        return included if included.exists() else self.private_index

    @property
    def agents_git(self) -> Git:
        """git as the agent has it. Once the agent has begun, its configuration can't be trusted."""
        git = self.repository.git
        if not self.is_clone:
            return git
        return git.at(git_dir=self.git_dir, common_dir=self.git_dir, work_tree=self.path)

    @property
    def branch_ref(self) -> str:
        """The full name of the job's branch."""
        return f"refs/heads/{self.branch}"

    @property
    def shell_git(self) -> str:
        """How a user calls git so that it sees what is held of the work."""
        return f"git --git-dir={shlex.quote(str(self.common_dir))}" if self.is_clone else "git"

    @property
    def lock_reason(self) -> str:
        """Why git may not prune or remove the workspace by itself."""
        return f"sideshoot {self.job_id}"

    @property
    def claim(self) -> Path:
        """A folder out of the agent's way that exists as long as `path` is ours."""
        return self.state_dir / "workspaces" / self.job_id

    @property
    def _own_dir(self) -> Path:
        """The git directory of Sideshoot's own calls: of a clone, not the one that the agent has."""
        return self.common_dir if self.is_clone else self.git_dir
