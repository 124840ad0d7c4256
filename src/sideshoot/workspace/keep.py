"""Bring what an agent left into the user's tree as it is now."""

from __future__ import annotations

import contextlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import GitError, KeepConflict, KeepRefused
from sideshoot.git.trees import Entry, differences, entries_at
from sideshoot.text import show_path
from sideshoot.workspace.apply import Deed, carry_out, change_folder, change_lock
from sideshoot.workspace.indexing import Staged, entry_at, index_lock, plan_index, with_room
from sideshoot.workspace.manifest import read_manifest
from sideshoot.workspace.merge import merge_commits
from sideshoot.workspace.nested import bring_nested, bring_submodules
from sideshoot.workspace.places import facts, from_text, meant_by, parents, place
from sideshoot.workspace.plan import Plan, Source, chosen_commit, describe, make_plan, selected
from sideshoot.workspace.record import KeepRecord, fingerprint
from sideshoot.workspace.refs import undo_ref
from sideshoot.workspace.scratch import scratch
from sideshoot.workspace.staging import stage_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from sideshoot.git import Repository
    from sideshoot.model import JobId
    from sideshoot.workspace.compare import FileChange
    from sideshoot.workspace.keep_options import KeepOptions
    from sideshoot.workspace.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Kept:
    """What a keep did, or would do."""

    changed: tuple[FileChange, ...] = ()
    conflicts: tuple[bytes, ...] = ()
    """Paths that have conflict markers now (or would have)."""
    warnings: tuple[str, ...] = ()
    commit: str | None = None
    extras: tuple[bytes, ...] = ()
    """What was brought beside git's own."""
    staged: bool = False
    """Whether the index has any of it."""


def keep(
    repository: Repository,
    job_id: JobId,
    base: str,
    result: str,
    options: KeepOptions,
    *,
    confirm: Callable[[], None] = lambda: None,
) -> Kept:
    """Bring the change from `base` to `result`, or a part of it, into the user's working tree.

    All of it or nothing; and what it replaces can be taken back by `sideshoot.workspace.undo.undo`.

    :param confirm: called when all is ready and nothing is written yet; what it raises stops here.
    :raises KeepConflict: both changed the same place, and `options.conflicts` is ``stop``.
    :raises KeepRefused: something is in the way.
    :raises Busy: another command is at work in this repository.
    """
    source = Source(base, result, name=f"job {job_id}")
    if options.dry_run:
        with scratch(repository) as folder:
            manifest = read_manifest(repository, result)
            return _foreseen(repository, _planned(repository, source, options, manifest, folder))
    with contextlib.ExitStack() as held:
        held.enter_context(change_lock(repository))
        folder = held.enter_context(change_folder(repository, job_id))
        if options.stage:
            held.enter_context(index_lock(repository, folder))
        return _keep(repository, job_id, source, options, folder, confirm=confirm)


def _planned(
    repository: Repository,
    source: Source,
    options: KeepOptions,
    manifest: Manifest,
    folder: Path,
) -> Plan:
    side = options.conflicts if options.conflicts in ("ours", "theirs") else None
    return make_plan(
        repository, source, paths=options.paths, beside=manifest.beside, side=side, folder=folder
    )


def _foreseen(repository: Repository, plan: Plan) -> Kept:
    return Kept(describe(repository, plan), tuple(sorted(plan.conflicts)))


def _keep(
    repository: Repository,
    job_id: JobId,
    source: Source,
    options: KeepOptions,
    folder: Path,
    *,
    confirm: Callable[[], None],
) -> Kept:
    manifest = read_manifest(repository, source.result)
    plan = _planned(repository, source, options, manifest, folder)
    if plan.conflicts and options.conflicts != "markers":
        raise conflict(plan.conflicts)
    commit = (
        _commit(repository, source, options, manifest, folder) if options.commit_message else None
    )
    extras = _extras(repository, options, manifest, folder)
    staged = with_room(repository, plan_index(repository, plan, folder)) if options.stage else None
    changed = describe(repository, plan)
    if plan.changes or extras or commit:
        deed = Deed(
            job_id=job_id,
            kind="keep",
            changes=plan.changes,
            places=_ready(repository, source, plan, manifest, folder),
            staged=staged,
            record=_record(
                repository, job_id, plan, staged, extras, commit=commit[1] if commit else None
            ),
            ref_updates=[commit] if commit else [],
            extras=extras,
            confirm=confirm,
        )
        carry_out(repository, deed, folder)
    else:
        confirm()
    fetched = bring_submodules(repository, job_id, _chosen(options, manifest))
    return Kept(
        changed=changed,
        conflicts=tuple(sorted(plan.conflicts)),
        warnings=(*_warnings(plan, staged), *fetched),
        commit=commit[1] if commit else None,
        extras=tuple(sorted(extras)),
        staged=staged is not None and bool(staged.entries or staged.stages),
    )


def _ready(
    repository: Repository, source: Source, plan: Plan, manifest: Manifest, folder: Path
) -> dict[bytes, bytes]:
    entries = {c.path: c.new for c in plan.changes if c.new is not None and c.new.is_file}
    exact = _exact(repository, source, plan, manifest, entries)
    return stage_files(repository, entries, folder=folder / "new", tree=plan.tree, exact=exact)


def _exact(
    repository: Repository,
    source: Source,
    plan: Plan,
    manifest: Manifest,
    entries: Mapping[bytes, Entry],
) -> dict[bytes, Entry]:
    """The very bytes that the agent left, where nothing of the user's is merged into them."""
    theirs = entries if plan.tree is None else entries_at(repository.git, source.result, [*entries])
    exact = {}
    for path, entry in entries.items():
        blob = manifest.converted.get(path, entry.oid)
        if blob and theirs.get(path) == entry:
            exact[path] = Entry(entry.mode, blob)
    return exact


def _record(
    repository: Repository,
    job_id: JobId,
    plan: Plan,
    staged: Staged | None,
    extras: Mapping[bytes, bytes],
    *,
    commit: str | None,
) -> KeepRecord:
    # Also what the index has at the paths where it gets nothing: an undo must leave that alone.
    had = {change.path: entry_at(plan, change.path) for change in plan.changes}
    gets = {**staged.entries, **dict.fromkeys(staged.stages)} if staged else {}
    return KeepRecord(
        raw={},
        before={change.path: change.old for change in plan.changes},
        after={change.path: change.new for change in plan.changes},
        staged_before={path: entry_at(plan, path) for path in (*had, *gets)} | _before(staged),
        staged_after={**had, **gets},
        modes={
            change.path: change.present.facts.st_mode & 0o7777
            for change in plan.changes
            if change.present.facts is not None
        },
        extras={path: fingerprint(place) for path, place in extras.items()},
        commit=commit,
        previous=repository.ref(undo_ref(job_id)),
    )


def _before(staged: Staged | None) -> dict[bytes, Entry | None]:
    return dict(staged.before) if staged else {}


def _extras(
    repository: Repository, options: KeepOptions, manifest: Manifest, folder: Path
) -> dict[bytes, bytes]:
    """Make ready what is brought beside git's own: what the caller has, repositories, and empty
    folders."""
    ready, inner = folder / "extras", folder / "inner"
    ready.mkdir()
    inner.mkdir()
    places = dict(options.extras(ready)) if options.extras else {}
    places |= bring_nested(repository, _chosen(options, manifest), inner)
    for path in sorted(places):
        if facts(repository.top, path) is not None:
            raise KeepConflict(
                f"{show_path(path)} is there already; move it away and keep again, "
                "nothing was written",
                [path],
            )
    return places | _empty_folders(repository, options, manifest, folder / "empty")


def _chosen(options: KeepOptions, manifest: Manifest) -> list[dict[str, Any]]:
    """The repositories that lay at the paths to be kept, or below them."""
    named = ((from_text(record["path"]), record) for record in manifest.inner)
    is_meant = meant_by(options.paths)
    return [record for path, record in named if is_meant(path)]


def _empty_folders(
    repository: Repository, options: KeepOptions, manifest: Manifest, folder: Path
) -> dict[bytes, bytes]:
    folder.mkdir()
    places, is_meant = {}, meant_by(options.paths)
    for number, path in enumerate(manifest.empty):
        if is_meant(path) and _is_free(repository, path):
            (folder / str(number)).mkdir()
            places[path] = place(folder, b"%d" % number)
    return places


def _is_free(repository: Repository, path: bytes) -> bool:
    """Whether a folder can be made here: nothing is there, and only folders are above."""
    above = [facts(repository.top, parent) for parent in parents(path)]
    if any(found is not None and not stat.S_ISDIR(found.st_mode) for found in above):
        return False
    return facts(repository.top, path) is None


def _commit(
    repository: Repository,
    source: Source,
    options: KeepOptions,
    manifest: Manifest,
    folder: Path,
) -> tuple[str, str, str]:
    """Make the commit of what is kept, on top of HEAD and without what else is uncommitted."""
    head = repository.head()
    deltas = differences(repository.git, source.base, source.result)
    deltas = selected(deltas, options.paths, manifest.beside)
    theirs = chosen_commit(repository, source, deltas, folder) if options.paths else source.result
    ours = repository.commit(
        repository.tree_of(head) if head else repository.empty_tree,
        parents=tuple(commit for commit in (source.base, head) if commit),
        message="sideshoot: HEAD\n",
    )
    merged = merge_commits(repository, ours, theirs)
    if merged.conflicts:
        raise KeepConflict(
            "it can't be committed apart from your uncommitted changes at "
            f"{_listed(merged.conflicts)}; keep it without --commit, nothing was written",
            sorted(merged.conflicts),
        )
    parents = ["-p", head] if head else []
    message = (options.commit_message or "").encode("utf-8", "surrogateescape")
    try:
        commit = repository.git.text("commit-tree", merged.tree, *parents, "-F", "-", stdin=message)
    except GitError as error:
        raise KeepRefused(f"no commit can be made: {error.reason}; nothing was written") from None
    return ("HEAD", commit, head or repository.null_id)


def conflict(conflicts: Collection[bytes]) -> KeepConflict:
    """What to say where both changed the same places, and nobody has won."""
    return KeepConflict(
        f"you and the agent both changed {_listed(conflicts)}; nothing was written. "
        "Choose with --conflicts markers, ours or theirs, or keep other paths",
        sorted(conflicts),
        settles=True,
    )


def _listed(paths: Collection[bytes]) -> str:
    shown = [show_path(path) for path in sorted(paths)]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _warnings(plan: Plan, staged: Staged | None) -> list[str]:
    left = staged.left if staged else ()
    return [
        f"{show_path(path)} is changed but not staged: you have uncommitted changes there, too"
        for path in left
        if path in plan.index  # what the user does not track stays untracked, as it was
    ]
