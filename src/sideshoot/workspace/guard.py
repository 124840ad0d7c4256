"""What is the user's and lies in the git directory that an agent shares: watched while a job runs.

::

    take_guard             before the agent starts: look, and keep the old objects reachable
    repair_configuration   before the first git call after it: as far as git needs it
    compare                at the end: say what differs, and how to take it back

The user may have made a change as well as the agent; nothing can tell the two apart. So a change is
reported, and only what keeps git from working is undone.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import GitError
from sideshoot.model import JobId
from sideshoot.workspace import watched_files
from sideshoot.workspace.pin import pin, pin_lost
from sideshoot.workspace.watched_files import WatchedFile, describe_files, look_at_files
from sideshoot.workspace.watched_refs import (
    WatchedRefs,
    describe_refs,
    look_at_refs,
    lost_objects,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.git import Repository


@dataclass(frozen=True, slots=True)
class Guard:
    """All that is watched for one job, as it was before the agent started."""

    job_id: JobId
    workspace_branch: str
    refs: WatchedRefs
    files: dict[str, WatchedFile]

    def save(self, path: Path) -> None:
        """Write it to a file that only the user can read: configuration may hold passwords."""
        content = json.dumps(_encoded(self), ensure_ascii=True).encode()
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> Guard:
        """Read what `save` wrote.

        :raises OSError: there is none.
        :raises ValueError: it is not whole.
        """
        return _decoded(json.loads(path.read_bytes()))


def take_guard(
    repository: Repository, job_id: JobId, workspace_branch: str, *, shared: bool = True
) -> Guard:
    """Look at what is the user's, and put all that its refs name under `guard_ref`.

    :param repository: the user's working tree.
    :param workspace_branch: the job's branch, without `refs/heads/`.
    :param shared: whether the agent has these refs for its own; else they are only looked at.
    """
    refs = look_at_refs(repository, workspace_branch)
    if shared:
        pin(repository, job_id, refs.objects)
    return Guard(job_id, workspace_branch, refs, look_at_files(repository))


def repair_configuration(
    repository: Repository, guard: Guard, *, folder: Path | None = None
) -> list[str]:
    """See to it that git works in the user's tree; return what was done.

    To be called when the agent has ended and before anything else is asked of git; it costs no git
    call unless the configuration has changed.
    """
    place = folder or _folder(repository, guard)
    return watched_files.repair_configuration(repository, guard.files, place)


def compare(repository: Repository, guard: Guard, *, folder: Path | None = None) -> list[str]:
    """What differs from before, in plain words, each with the command that takes it back.

    What the user's refs named before and do not name any more stays reachable from `guard_ref`;
    where there is no such thing the ref goes.

    :param folder: where old and damaged versions of files are saved; by default the job's folder.
    """
    place = folder or _folder(repository, guard)
    warnings = repair_configuration(repository, guard, folder=place)
    try:
        now = look_at_refs(repository, guard.workspace_branch)
        pin_lost(repository, guard.job_id, lost_objects(guard.refs, now))
        warnings += describe_refs(guard.refs, now)
    except (GitError, OSError) as error:
        warnings.append(f"can't tell whether your branches changed while the job ran: {error}")
    return warnings + describe_files(repository, guard.files, place)


def _encoded(guard: Guard) -> dict[str, Any]:
    return {
        "job": guard.job_id,
        "workspace_branch": guard.workspace_branch,
        "refs": guard.refs.refs,
        "head": guard.refs.head,
        "stash": guard.refs.stash,
        "files": {
            name: [file.mode, file.digest, _text(file.content)]
            for name, file in guard.files.items()
        },
    }


def _decoded(data: dict[str, Any]) -> Guard:
    try:
        stash = tuple((commit, title) for commit, title in data["stash"])
        files = {
            name: WatchedFile(mode, digest, _content(text))
            for name, (mode, digest, text) in data["files"].items()
        }
        refs = WatchedRefs(data["refs"], data["head"], stash)
        return Guard(JobId(data["job"]), data["workspace_branch"], refs, files)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the guard's file is not whole: {error}") from None


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode("ascii")


def _content(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _folder(repository: Repository, guard: Guard) -> Path:
    return repository.state_dir / "jobs" / guard.job_id
