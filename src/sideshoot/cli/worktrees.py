"""What `sideshoot hook worktree-create` and `worktree-remove` do: worktrees of Claude Code that are jobs.

Claude Code calls the first for `--worktree` and for agents that work isolated, and works in the folder that it
prints. It calls the second when the user has it remove the worktree at a session's end. A session without a
terminal ends without that; so the job ends with Claude Code's process at the latest.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.cli import output
from sideshoot.cli.consent import consented
from sideshoot.cli.place import open_place
from sideshoot.errors import NotARepository, SideshootError, UsageError
from sideshoot.home import state_folder
from sideshoot.hosts.attend import attending, door_of, let_go
from sideshoot.model import Isolation, Request, State

if TYPE_CHECKING:
    from sideshoot.cli.command import Call
    from sideshoot.cli.hook import HostEvent
    from sideshoot.cli.place import Place
    from sideshoot.model import Job

_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "ash", "busybox")
_STEP_S = 0.03
_UNLIMITED = {"timeout_s": None, "idle_timeout_s": None, "output_limit": None, "sandbox": "off"}
"""Nothing ends the host or holds it inside: it is not a process of ours."""


def create(call: Call, event: HostEvent) -> None:
    """Open a copy as a job that runs for as long as the host does, and print its folder.

    :raises SideshootError: it can't be made.
    """
    place = open_place(_there(call, event.folder))
    door = _new_door()
    job = _launched(place, event, attending(_host(), door))
    job = _opened(place, job.id, door)
    assert job.worktree is not None
    output.note(f"sideshoot: worktree {event.text('name')} is job {job.id}")
    output.write_bytes(os.fsencode(job.worktree) + b"\n")


def remove(call: Call, event: HostEvent) -> None:
    """End the job of a copy. Its work is saved; where there is none, the copy goes.

    :raises SideshootError: there is no such job, or its work can't be saved.
    """
    from sideshoot.jobs import service  # noqa: PLC0415 - only here
    from sideshoot.jobs.decide import discard_job  # noqa: PLC0415 - the same

    place, job = _meant(call, event)
    door = door_of(job.request.command)
    if door is not None and job.state is not State.FINISHED:
        let_go(door)
    (job,) = service.wait(place.repository, [job.id])
    if job.result and not place.changes_of(job) and not job.ignored_count:
        discard_job(place.repository, place.store, job)
        output.note(f"sideshoot: job {job.id} has left nothing, and its copy is gone")
    else:
        output.note(f"sideshoot: the work is saved as job {job.id}; `sideshoot keep {job.id}`")


def _there(call: Call, folder: Path) -> Call:
    from dataclasses import replace  # noqa: PLC0415 - only here

    return replace(call, folder=folder)


def _launched(place: Place, event: HostEvent, command: tuple[str, ...]) -> Job:
    from sideshoot.jobs import service  # noqa: PLC0415 - only here
    from sideshoot.jobs.defaults import filled  # noqa: PLC0415 - the same

    given: dict[str, Any] = {"command": command, **_UNLIMITED}
    request = Request(
        prompt="",
        isolation=Isolation.WORKTREE,
        name=f"worktree {event.text('name')}".strip(),
        **filled(place.config(), given),
    )
    make = partial(service.create, place.repository, request, session=event.session or None)
    job = consented(place, make)
    service.launch(place.repository, job.id)
    return job


def _opened(place: Place, job_id: str, door: Path) -> Job:
    """Wait until the copy is complete and set up: then its attendant is there."""
    from sideshoot.jobs import service  # noqa: PLC0415 - only here

    while not door.exists():
        service.recover(place.repository)  # its worker may have died
        job = place.store.get(job_id)
        if job.state is State.FINISHED:
            raise SideshootError(f"job {job.id} has no copy: {job.error or job.outcome}")
        time.sleep(_STEP_S)
    return place.store.get(job_id)


def _new_door() -> Path:
    folder = state_folder("doors of hosts") / "doors"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / os.urandom(8).hex()


def _host() -> int:
    """The process that has called the hook: the nearest above that is no shell."""
    import psutil  # noqa: PLC0415 - only here

    process = psutil.Process().parent()
    while process is not None and process.name() in _SHELLS:
        process = process.parent()
    return process.pid if process is not None else os.getppid()


def _meant(call: Call, event: HostEvent) -> tuple[Place, Job]:
    """The job of the copy that the host names, looked for outside of the copy first.

    What an agent has made of the `.git` in there is not believed as long as there is another way.
    """
    path = event.text("worktree_path")
    copy = Path(path)
    for folder in (copy.parent, event.folder, copy) if path else ():
        with suppress(NotARepository):
            place = open_place(_there(call, folder))
            for job in place.jobs():
                if job.worktree is not None and os.path.realpath(job.worktree) == os.path.realpath(
                    path
                ):
                    return place, job
    raise UsageError(f"{path or 'nothing'} is no copy of Sideshoot's; it was left as it is")
