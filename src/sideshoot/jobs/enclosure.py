"""The fence that the agent of a job works in: whether it can be put up, and what it leaves open."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents import registry
from sideshoot.errors import CannotStart
from sideshoot.fence.mechanism import Kind, Mechanism, find_mechanism
from sideshoot.fence.model import Fence, Level
from sideshoot.fence.places import temporary_places
from sideshoot.jobs.place import workspace_of
from sideshoot.model import Isolation
from sideshoot.text import show_path
from sideshoot.workspace.exclude import FOLDER
from sideshoot.workspace.folders import used_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Repository
    from sideshoot.jobs.folder import JobFolder
    from sideshoot.model import Job, Request
    from sideshoot.workspace.place import Workspace

_LINKS = ("commondir", "gitdir", "config.worktree")
"""In a workspace's git directory: what leads git elsewhere, and settings of which some run programs."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A fence and what puts it up."""

    fence: Fence
    mechanism: Mechanism


@dataclass(frozen=True, slots=True)
class Choice:
    """The fence that a job gets, as its record says it."""

    level: str
    kind: str
    warnings: tuple[str, ...] = ()
    """What the user has to know of it."""


def choose(repository: Repository, request: Request) -> Choice:
    """The fence for a request: the one that it asks for, else one wherever it keeps the agent in.

    :raises CannotStart: what it asks for can't be had; the line says why.
    """
    if request.sandbox is not None:
        mechanism = mechanism_for(repository, request)
        limits = (f"inside the {mechanism.kind} fence {limit}" for limit in mechanism.limits)
        return Choice(
            request.sandbox, mechanism.kind, tuple(limits) if mechanism.kind != "none" else ()
        )
    if registry.agent_of(request).sandboxed or request.isolation is Isolation.IN_PLACE:
        return Choice(Level.OFF, Kind.NONE)
    mechanism = find_mechanism(repository.state_dir / "cache")
    if mechanism.kind is Kind.NONE:
        return _without(f"{mechanism.why}; {mechanism.remedy}")
    try:
        found = mechanism_for(repository, replace(request, sandbox=Level.WRITE))
    except CannotStart as refusal:  # the agent can't work inside of that one
        return _without(str(refusal))
    return Choice(Level.WRITE, found.kind)


def _without(why: str) -> Choice:
    text = f"nothing kept the agent inside of its workspace: {why}"
    off = "" if "--sandbox off" in why else ", or choose --sandbox off to hear no more of it"
    return Choice(Level.OFF, Kind.NONE, (f"{text}{off}",))


def mechanism_for(repository: Repository, request: Request) -> Mechanism:
    """What will hold the agent back; it is the same for `create` and for the worker.

    :raises CannotStart: nothing can, as far as it is asked for; the line says why.
    """
    level = Level(request.sandbox or Level.OFF)
    if level is Level.OFF:
        return Mechanism(Kind.NONE)
    mechanism = find_mechanism(repository.state_dir / "cache")
    mechanism.require(level)
    registry.agent_of(request).grants(level, mechanism)
    if mechanism.kind is Kind.LANDLOCK and request.isolation is Isolation.IN_PLACE:
        raise CannotStart(
            f"--sandbox {level} is not possible with --in-place here: {mechanism.why}, and Landlock "
            f"can't keep your .git folder from being written; {mechanism.remedy}, or leave --in-place out"
        )
    return mechanism


def enclosure_of(repository: Repository, folder: JobFolder, job: Job) -> Enclosure | None:
    """The fence of a job whose place is ready; `None` where there is none.

    :raises CannotStart: it can't be put up any more.
    """
    level = Level(job.request.sandbox or Level.OFF)
    if level is Level.OFF:
        return None
    mechanism = mechanism_for(repository, job.request)
    folder.temp.mkdir(exist_ok=True)
    writable, read_only = _places(repository, job)
    grants = registry.agent_of(job.request).grants(level, mechanism)
    folders = (*grants.folders, *(Path(place).expanduser() for place in job.request.writable))
    for place in folders:
        _make(place)
    fence = Fence(
        level,
        writable=(*writable, *folders, *filter(Path.exists, grants.files)),
        read_only=(*read_only, *filter(Path.exists, grants.settings)),
        readable=(repository.top, repository.common_dir, *_named(repository, job)),
        temp=folder.temp,
    )
    return Enclosure(fence, mechanism)


def _make(place: Path) -> None:
    """Make a folder that the agent would make itself, and can't inside."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"the folder {show_path(place)}, which the fence is to leave open, can't be made: {error.strerror}"
        ) from None


def _named(repository: Repository, job: Job) -> Iterator[Path]:
    """What of everybody's temporary files the job is about."""
    words = "\0".join((*job.request.command, job.request.prompt))
    return temporary_places(words, around=(repository.top, repository.common_dir))


def remove_temp(folder: JobFolder) -> None:
    """Drop the temporary files of a job that is over; they are deleted meanwhile."""
    from sideshoot.workspace.trash import (  # noqa: PLC0415 - only where there was a fence
        put_into_trash,
        spawn_trash_removal,
    )

    if folder.temp.is_dir():
        with contextlib.suppress(OSError):
            put_into_trash(folder.temp, folder.state_dir)
        spawn_trash_removal(folder.state_dir)


def _places(repository: Repository, job: Job) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """What may be written, and what directly inside of it may not."""
    if job.request.isolation is Isolation.READ_ONLY:
        return (), ()
    workspace = workspace_of(repository, job)
    if workspace is not None:
        return _of_workspace(workspace)
    # Without a folder for workspaces there are none to be kept from being written.
    places = [repository.top / FOLDER, *(used.folder for used in used_folders(repository))]
    others = [one for one in places if one.is_relative_to(repository.top) and one.is_dir()]
    return (repository.top,), (repository.top / ".git", *others)


def _of_workspace(workspace: Workspace) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    from sideshoot.workspace.opening import writable_folders  # noqa: PLC0415 - git is at work

    if workspace.is_clone:
        return (workspace.path, *writable_folders(workspace)), (workspace.path / ".git",)
    objects = workspace.common_dir / "objects"
    shared = (objects / "pack", objects / "info")
    for place in shared:
        # A missing one would be made as a file.
        place.mkdir(exist_ok=True)
    own = (workspace.git_dir / name for name in _LINKS)
    read_only = (
        workspace.path / ".git",
        *own,
        workspace.private_index,
        *filter(Path.exists, (workspace.included_index,)),
        *shared,
    )
    return (workspace.path, *writable_folders(workspace)), read_only
