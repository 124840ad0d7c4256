"""Save all that an agent left in its workspace, before anything is decided about it.

What lies in the folder counts, not what the agent's index says: files are compared with a private
index of what the workspace started with. The agent's index is asked only which ignored files it
added all the same. Its last commit becomes a parent of the result, so that its history is held, too.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git.trees import (
    GITLINK,
    Delta,
    Entry,
    changed_tree,
    differences,
    gitlinks,
    parse_raw,
)
from sideshoot.text import show_path
from sideshoot.workspace.clone_capture import take_over
from sideshoot.workspace.converted import find_converted
from sideshoot.workspace.included import RULES, included_paths
from sideshoot.workspace.looking import looking
from sideshoot.workspace.manifest import Manifest, manifest_text
from sideshoot.workspace.nested import save_nested
from sideshoot.workspace.quarantine import settle_work
from sideshoot.workspace.refs import result_ref
from sideshoot.workspace.registration import verify
from sideshoot.workspace.scratch import copy_index, scratch
from sideshoot.workspace.seal import Walk, break_seal, seal
from sideshoot.workspace.snapshot import Snapshot, snapshot
from sideshoot.workspace.sparse import LOOKING, overlook
from sideshoot.workspace.steps import reached

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace
    from sideshoot.workspace.seal import Look

_INDEX = "index"


@dataclass(frozen=True, slots=True)
class Captured:
    """What an agent left, held under `result_ref`."""

    commit: str
    tree: str
    manifest: Manifest
    warnings: tuple[str, ...] = ()


@dataclass
class _Left:
    """What is found in a workspace, step by step."""

    tree: str
    manifest: Manifest = field(default_factory=Manifest)
    warnings: list[str] = field(default_factory=list)
    seen: Look | None = None
    """What the workspace looked like before, if that and the index tell all of it."""


def capture(repository: Repository, workspace: Workspace) -> Captured:
    """Write what the agent left into the object store, under `result_ref`; can be repeated.

    :param repository: the user's.
    :raises CaptureFailed: something can't be read, or is gone; nothing was deleted.
    """
    try:
        is_there = workspace.path.is_dir() and not workspace.path.is_symlink()
        if workspace.is_clone:
            repository = workspace.holder
            notes = take_over(workspace, staged=not is_there)
            reached("clone.taken")
        else:
            notes = verify(workspace) if is_there else []
        head, before = _known(workspace)
        with scratch(repository) as folder:
            if is_there:
                left = _from_folder(repository, workspace, before, notes, folder)
            else:
                left = _without_folder(repository, workspace, notes, folder)
            captured = _held(repository, workspace, left, head, before)
            if left.seen is not None:
                index = folder / _INDEX
                seal(workspace, left.seen, commit=captured.commit, head=head, index=index)
            return captured
    except (GitError, OSError) as error:
        reason = error.reason if isinstance(error, GitError) else f"{error.strerror}"
        raise CaptureFailed(
            f"the work in {show_path(workspace.path)} can't be saved: {reason}; it still lies there"
        ) from error


def _from_folder(
    repository: Repository,
    workspace: Workspace,
    before: str | None,
    notes: list[str],
    folder: Path,
) -> _Left:
    index, modes = folder / _INDEX, _modes(workspace.path.parent)
    git = workspace.repository.git.with_index(index).configured(modes)
    if not copy_index(workspace.private_index, index):
        git.run("read-tree", workspace.base)
    overlook(workspace, git)
    began = break_seal(workspace)
    with looking(git, folders=True, known=git.with_index(_knowing(workspace, index))) as git_looks:
        # All this while git is at work.
        staged = _staged_by_agent(workspace, notes)
        also = _own(workspace, staged, notes)
        also += _saved_before(repository, workspace, before)
        submodules = list(gitlinks(git, index))
        found = git_looks.found()
    # The looks take two processors, what follows only one.
    walk = Walk(workspace, modes, since_ns=began)
    seen = snapshot(workspace.repository, git, found, also=also)
    nested = save_nested(repository, workspace, seen.repositories, submodules)
    links = {d.path: d.new for d in staged if d.new and d.new.mode == GITLINK}
    links |= {path: Entry(GITLINK, commit) for path, commit in nested.links}
    tree = _with_links(workspace.repository, seen, links, folder)
    converted = find_converted(workspace, tree, folder)
    manifest = Manifest(raw=seen.raw, converted=converted, empty=seen.empty, inner=nested.records)
    warnings = [*notes, *nested.warnings, *_warnings(workspace, seen)]
    # Repositories have files of their own, which no seal is about.
    plain = not (nested.records or seen.repositories or submodules)
    return _Left(tree, manifest, warnings, walk.seen() if plain else None)


def _knowing(workspace: Workspace, index: Path) -> Path:
    """The index that knows what was copied for `.worktreeinclude`, too, if anything was."""
    return workspace.included_index if workspace.included_index.exists() else index


def _own(workspace: Workspace, staged: Sequence[Delta], notes: list[str]) -> list[bytes]:
    """Of what the agent has in its index the files that are not the user's own ignored ones."""
    files = [delta.path for delta in staged if delta.new and delta.new.mode != GITLINK]
    given = included_paths(workspace) if files else {}
    users = [path for path in files if path in given]
    if users:
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        notes.append(
            f"the agent put {show_path(users[0])}{more} under version control, which "
            f"{RULES} had copied from your ignored files; the result leaves it out, the "
            "agent's own commits may hold it"
        )
    return [path for path in files if path not in given]


def _saved_before(repository: Repository, workspace: Workspace, before: str | None) -> list[bytes]:
    """The files that an earlier capture found; they are work even if they are ignored by now."""
    if before is None:
        return []
    deltas = differences(repository.git, workspace.base, before)
    return [delta.path for delta in deltas if delta.new is not None and delta.new.is_file]


def _with_links(
    repository: Repository, seen: Snapshot, links: Mapping[bytes, Entry | None], folder: Path
) -> str:
    """The tree with the submodules that the agent added or moved."""
    if not links:
        return seen.tree
    return changed_tree(
        repository.git, seen.tree, links, index=folder / "links-index", null_id=repository.null_id
    )


def _staged_by_agent(workspace: Workspace, notes: list[str]) -> list[Delta]:
    """What the agent's own index has that the workspace did not start with."""
    argv = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--ignore-submodules=none")
    try:
        answer = workspace.repository.git.run(*argv, workspace.base, "--")
    except GitError as error:
        notes.append(f"the agent's index can't be read ({error.reason}); its files were saved")
        return []
    return parse_raw(answer.stdout)


def _without_folder(
    repository: Repository, workspace: Workspace, notes: list[str], folder: Path
) -> _Left:
    """The folder is gone: what was committed or staged is still held, and counts."""
    note = f"the workspace {show_path(workspace.path)} is gone"
    staged = _index_tree(workspace)
    if staged is None:
        raise CaptureFailed(f"{note}, and with it what was not committed; nothing can be saved")
    began = _started_index_tree(repository, workspace)
    changes = {d.path: d.new for d in differences(repository.git, began, staged)}
    tree = changed_tree(
        repository.git, workspace.base, changes, index=folder / _INDEX, null_id=repository.null_id
    )
    saved = f"{note}; what the agent had committed or staged is saved"
    return _Left(tree, warnings=[*notes, saved])


def _index_tree(workspace: Workspace) -> str | None:
    if not workspace.git_dir.is_dir():
        return None
    outside = _outside(workspace)
    try:
        return outside.git.text("write-tree", "--missing-ok")
    except GitError:  # an unfinished merge: what is committed counts
        return outside.objects("HEAD^{tree}")[0]


def _started_index_tree(repository: Repository, workspace: Workspace) -> str:
    return repository.tree_of(workspace.head) if workspace.head else repository.empty_tree


def _held(
    repository: Repository,
    workspace: Workspace,
    left: _Left,
    head: str | None,
    before: str | None,
) -> Captured:
    """Make the commit, unless the same was captured before."""
    history = [head] if head and head not in (workspace.base, workspace.head) else []
    parents = (workspace.base, *history)
    message = manifest_text(left.manifest)
    if before is not None and _says(repository, before, left.tree, parents, message):
        return Captured(before, left.tree, left.manifest, tuple(left.warnings))
    commit = repository.commit(left.tree, parents=parents, message=message)
    if workspace.is_clone:
        settle_work(workspace, commit)
    repository.git.run("update-ref", result_ref(workspace.job_id), commit)
    return Captured(commit, left.tree, left.manifest, tuple(left.warnings))


def _known(workspace: Workspace) -> tuple[str | None, str | None]:
    """The agent's last commit, and what was captured before."""
    head, before = _outside(workspace).objects("HEAD^{commit}", result_ref(workspace.job_id))
    return head, before


def _outside(workspace: Workspace) -> Repository:
    """The workspace's repository for questions that need no files, from a folder that is there."""
    common = workspace.common_dir
    if workspace.is_clone:
        return workspace.holder
    git_dir = workspace.git_dir if workspace.git_dir.is_dir() else common
    return replace(workspace.repository, top=common, git_dir=git_dir)


def _says(
    repository: Repository, commit: str, tree: str, parents: Sequence[str], message: str
) -> bool:
    text = repository.git.run("cat-file", "commit", commit).stdout.decode(errors="replace")
    header, _, body = text.partition("\n\n")
    named = [line for line in header.splitlines() if line.startswith(("tree ", "parent "))]
    return body == message and named == [f"tree {tree}", *(f"parent {p}" for p in parents)]


def _modes(folder: Path) -> dict[str, str]:
    """Look at executable bits where the file system has them, whatever the user configured, and at
    files that lie outside of a sparse checkout all the same.

    With `core.fileMode=false` an agent's `chmod +x` would be lost without a word, and so would be
    what it changes after `git sparse-checkout disable`.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".mode-") as file:
            before = os.fstat(file.fileno()).st_mode
            os.fchmod(file.fileno(), 0o700)
            changed = os.fstat(file.fileno()).st_mode != before
    except OSError:
        return dict(LOOKING)
    return {**LOOKING, "core.fileMode": "true"} if changed else dict(LOOKING)


def _warnings(workspace: Workspace, seen: Snapshot) -> list[str]:
    warnings = [
        f"git's filters refuse {show_path(path)}; its bytes are saved as they are"
        for path in sorted(seen.raw)
    ]
    warnings += [
        f"{show_path(path)} is neither file nor link, and git can't hold it"
        for path in seen.special
    ]
    if seen.empty:
        shown = ", ".join(show_path(path) + "/" for path in seen.empty[:3])
        more = f" and {len(seen.empty) - 3} more" if len(seen.empty) > 3 else ""
        warnings.append(f"git can't hold empty folders; a keep makes {shown}{more} all the same")
    if (workspace.git_dir / "MERGE_HEAD").exists():
        warnings.append("the agent left a merge unfinished; files may hold conflict markers")
    return warnings
