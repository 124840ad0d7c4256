"""A workspace as its record describes it: names and places, whether or not they exist yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sideshoot.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.model import JobId


@dataclass(frozen=True)
class Workspace:
    """The linked working tree that a job has to itself.

    `path` is its top folder, `git_dir` its own git directory inside `common_dir`, `branch` the
    job's branch (without `refs/heads/`), `head` the commit that the branch began at (`None` in a
    repository without one) and `base` the commit that holds what the files were at the beginning.
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

    @cached_property
    def repository(self) -> Repository:
        """The only way to run git in a workspace: no file that lies in it says which repository
        is meant."""
        return Repository(
            top=self.path,
            git_dir=self.git_dir,
            common_dir=self.common_dir,
            object_format=self.object_format,
            version=self.version,
        )

    @property
    def private_index(self) -> Path:
        """An index of the base's tree with the files' stat data, which the agent is not told of."""
        return self.git_dir / "sideshoot-index"

    @property
    def included_index(self) -> Path:
        """The private index with what was copied for `.worktreeinclude`, if anything was."""
        return self.git_dir / "sideshoot-included"

    @property
    def known_index(self) -> Path:
        """The index of all that the workspace was opened with."""
        included = self.included_index
        return included if included.exists() else self.private_index

    @property
    def branch_ref(self) -> str:
        """The full name of the job's branch."""
        return f"refs/heads/{self.branch}"

    @property
    def lock_reason(self) -> str:
        """Why git may not prune or remove the workspace by itself."""
        return f"sideshoot {self.job_id}"

    @property
    def claim(self) -> Path:
        """A folder out of the agent's way that exists as long as `path` is ours."""
        return self.common_dir / "sideshoot" / "workspaces" / self.job_id
