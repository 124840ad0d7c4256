"""Everything in a workspace that is a repository of its own, or lies in the place of one.

Few workspaces have any. What deals with them is only imported for those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.workspace.places import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace

_SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Nested:
    """What was saved beside the result's tree."""

    records: tuple[dict[str, Any], ...] = ()
    """For the result's manifest; `bring_nested` and `bring_submodules` read them."""
    links: tuple[tuple[bytes, str], ...] = ()
    """Submodules that are at another commit now: path and commit, for the result's tree."""
    warnings: tuple[str, ...] = ()


def save_nested(
    repository: Repository,
    workspace: Workspace,
    paths: Sequence[bytes],
    submodules: Sequence[tuple[bytes, str]],
) -> Nested:
    """Save them all under refs of the job's; can be repeated.

    :param paths: the repositories that the snapshot of the workspace found and left out.
    :param submodules: those that the workspace began with: paths and commits.
    :raises CaptureFailed: something can't be read.
    """
    if not paths and _has_none(workspace, submodules):
        return Nested()
    from sideshoot.workspace.inner import save_inner  # noqa: PLC0415 - rare
    from sideshoot.workspace.submodules import save_submodules, stray_folders  # noqa: PLC0415

    works = save_submodules(repository, workspace, submodules)
    held = [work for work in works if work.commit is not None]
    whole = [work.path for work in works if work.whole]
    folders = [*paths, *stray_folders(workspace, submodules), *whole]
    inner = save_inner(repository, workspace, folders, first=len(held))
    return Nested(
        records=(*(_record(work.path, work.commit) for work in held), *(i.record() for i in inner)),
        links=tuple((work.path, work.head) for work in works if work.moved and work.head),
        warnings=(
            *(line for work in works for line in work.warnings),
            *(line for one in inner for line in one.warnings),
        ),
    )


def _has_none(workspace: Workspace, submodules: Sequence[tuple[bytes, str]]) -> bool:
    """Whether the workspace began without submodules, and still is no repository by itself."""
    return not submodules and not (workspace.path / ".git").is_dir()


def bring_nested(
    repository: Repository, records: Sequence[Mapping[str, Any]], folder: Path
) -> dict[bytes, bytes]:
    """Write archived repositories into `folder`: for each path, the place where it lies ready."""
    if not records:
        return {}
    from sideshoot.workspace.inner import Inner, bring_inner  # noqa: PLC0415 - rare

    inner = [Inner.of(record) for record in records if record["kind"] != _SUBMODULE]
    return bring_inner(repository, inner, folder)


def bring_submodules(
    repository: Repository, job_id: str, records: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Fetch work in submodules into the user's own repositories of them; one line for each."""
    if not records:
        return []
    from sideshoot.workspace.submodules import bring_submodule  # noqa: PLC0415 - rare

    return [
        bring_submodule(repository, job_id, from_text(record["path"]), record["commit"])
        for record in records
        if record["kind"] == _SUBMODULE
    ]


def _record(path: bytes, commit: str | None) -> dict[str, Any]:
    return {"kind": _SUBMODULE, "path": to_text(path), "commit": commit}
