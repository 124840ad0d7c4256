"""What changed in the user's own tree while an agent worked that nothing held back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sideshoot.agents import registry
from sideshoot.fence.leak import changed, fingerprint
from sideshoot.model import Isolation
from sideshoot.text import show_path

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.fence.leak import Fingerprint
    from sideshoot.git import Repository
    from sideshoot.model import Job

_SHOWN = 10


class LeakWatch:
    """Looks at the tree before the agent starts and after it has ended, beside other work."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._before = _Look(top)
        self._after: _Look | None = None

    @classmethod
    def for_job(cls, repository: Repository, job: Job) -> LeakWatch | None:
        """The watch of a job; `None` where the agent is held in, or works in that very tree."""
        request = job.request
        if request.isolation is not Isolation.WORKTREE or request.sandbox != "off":
            return None
        return None if registry.agent_of(request).sandboxed else cls(repository.top)

    def ready(self) -> None:
        """Return once the first look is done."""
        self._before.result()

    def look_again(self) -> None:
        """Begin the second look; the agent has ended."""
        self._after = _Look(self._top)

    def report(self) -> list[str]:
        """What the user has to know, after both looks."""
        if self._after is None:
            return []
        return _told(changed(self._before.result(), self._after.result()))


class _Look(threading.Thread):
    """One look at a tree, in a thread of its own."""

    def __init__(self, top: Path) -> None:
        super().__init__(daemon=True, name="leak watch")
        self._top = top
        self._found: Fingerprint | None = None
        self.start()

    def run(self) -> None:
        self._found = fingerprint(self._top)

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
