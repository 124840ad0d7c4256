"""What changed in the user's own tree while an agent worked that nothing held back."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.agents import registry
from sideshoot.fence.leak import changed, fingerprint
from sideshoot.model import Isolation
from sideshoot.text import show_path
from sideshoot.workspace.folders import missing_of, used_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sideshoot.fence.leak import Fingerprint
    from sideshoot.git import Repository
    from sideshoot.model import Job, Request

_SHOWN = 10


class LeakWatch:
    """Looks at the tree before the agent starts and after it has ended, beside other work."""

    def __init__(self, top: Path, leave_out: Sequence[Path] = ()) -> None:
        """:param leave_out: folders that other jobs write in."""
        self._look = partial(_Look, top, leave_out)
        self._before = self._look()
        self._after: _Look | None = None

    @classmethod
    def for_job(cls, repository: Repository, job: Job) -> LeakWatch | None:
        """The watch of a job; `None` where the agent is held in, or works in that very tree."""
        request = job.request
        if request.isolation is not Isolation.WORKTREE or request.sandbox != "off":
            return None
        if registry.agent_of(request).sandboxed:
            return None
        return cls(repository.top, [*_of_workspaces(repository, request)])

    def ready(self) -> None:
        """Return once the first look is done."""
        self._before.result()

    def look_again(self) -> None:
        """Begin the second look; the agent has ended."""
        self._after = self._look()

    def report(self) -> list[str]:
        """What the user has to know, after both looks."""
        if self._after is None:
            return []
        return _told(changed(self._before.result(), self._after.result()))


def _of_workspaces(repository: Repository, request: Request) -> Iterator[Path]:
    """Folders for workspaces, each with what of its path comes and goes with it."""
    used = [(one.folder, one.made) for one in used_folders(repository)]
    if request.directory:
        used.append((Path(request.directory), missing_of(Path(request.directory))))
    yield from (made[-1] if made else folder for folder, made in used)


class _Look(threading.Thread):
    """One look at a tree, in a thread of its own."""

    def __init__(self, top: Path, leave_out: Sequence[Path]) -> None:
        super().__init__(daemon=True, name="leak watch")
        self._top = top
        self._leave_out = leave_out
        self._found: Fingerprint | None = None
        self.start()

    def run(self) -> None:
        self._found = fingerprint(self._top, leave_out=self._leave_out)

    def result(self) -> Fingerprint:
        self.join()
        assert self._found is not None
        return self._found


def _told(paths: list[bytes]) -> list[str]:
    if not paths:
        return []
    shown = ", ".join(map(show_path, paths[:_SHOWN]))
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return [
        (
            f"YOUR OWN TREE CHANGED while the agent worked with no fence around it: {shown}{more}; unless "
            "you changed that yourself, the agent did (--sandbox write keeps it in)"
        )
    ]
