"""Everything that Sideshoot refuses or fails at, with the exit status that it means.

::

    SideshootError                 1   it ran and did not succeed
    ├── UsageError                 2   the command line is wrong
    │   ├── JobNotFound
    │   └── AmbiguousJob
    ├── CannotStart                3   nothing was begun
    │   ├── NotARepository
    │   ├── GitUnusable                git missing, or too old
    │   ├── BadConfiguration           a file of settings says what can't be
    │   ├── ConsentNeeded              the repository's file wants what the user has to allow first
    │   └── AgentUnavailable           agent missing, or not logged in
    ├── GitError                   1   git failed; its own words are in the message
    ├── CaptureFailed              1   what the agent left could not be saved; it still lies there
    ├── KeepConflict               1   both sides changed the same place; nothing was written
    ├── KeepRefused                1   something is in the way; nothing was written
    ├── WrongState                 1   the job is running, or already decided
    ├── Busy                       1   another command holds the lock
    └── StoreDamaged               1   the records can't be read; they can be rebuilt

An error is one line: what happened, what stayed safe, and what to do next. `errors` never carry
a period right after a path or an id, so that both can be copied by a double click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class SideshootError(Exception):
    """Base of all errors that a user may see; its text is one line."""

    exit_status: ClassVar[int] = 1


class UsageError(SideshootError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_status = 2


class JobNotFound(UsageError):
    """No job has this id, or an id that begins like this."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"no job {reference!r}; `sideshoot status --all` lists all jobs")
        self.reference = reference


class AmbiguousJob(UsageError):
    """Several jobs can be meant."""

    def __init__(self, candidates: Sequence[str], reference: str = "") -> None:
        begins = f" begin with {reference!r}" if reference else " can be meant"
        super().__init__(f"several jobs{begins}: {', '.join(candidates)}; name one")
        self.candidates = tuple(candidates)


class CannotStart(SideshootError):
    """A thing that the command needs is not there; nothing was begun."""

    exit_status = 3


class NotARepository(CannotStart):
    """There is no repository with a working tree here, or git refuses to use it."""


class GitUnusable(CannotStart):
    """git is missing or older than `sideshoot.git.MINIMUM_VERSION`."""


class BadConfiguration(CannotStart):
    """A file of settings can't be read, or says what can't be. `problems` has a line for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = f" (and {len(problems) - 1} more; `sideshoot config` lists all)"
        super().__init__(f"{problems[0]}{more if len(problems) > 1 else ''}; nothing was begun")
        self.problems = tuple(problems)


class ConsentNeeded(CannotStart):
    """The repository's file says what is not in force until the user has consented to it.

    `keys` are those of the settings that would have counted.
    """

    def __init__(self, wanted: str, keys: Sequence[str]) -> None:
        super().__init__(
            f"this repository's sideshoot.toml wants {wanted}; nothing was begun, since that needs "
            "your consent, once: `sideshoot config --trust` gives it"
        )
        self.keys = tuple(keys)


class AgentUnavailable(CannotStart):
    """The agent is not installed, not logged in, or unknown."""


class GitError(SideshootError):
    """git ended with an exit status that the caller did not expect.

    `argv` is what ran, `status` git's exit status (negative: the signal that ended it) and
    `stderr` all that it said.
    """

    def __init__(self, argv: Sequence[str], status: int, stderr: bytes) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.stderr = stderr
        super().__init__(f"git {argv[0] if argv else ''} failed: {self.reason}")

    @property
    def reason(self) -> str:
        """The line of git's words that says most: the first `fatal:` or `error:`, else the last."""
        lines = [line.strip() for line in self.stderr.decode(errors="replace").splitlines()]
        lines = [line for line in lines if line and not line.startswith("hint:")]
        for prefix in ("fatal:", "error:"):
            for line in lines:
                if line.startswith(prefix):
                    return line.removeprefix(prefix).strip()
        if lines:
            return lines[-1]
        return f"exit status {self.status}" if self.status >= 0 else f"signal {-self.status}"


class CaptureFailed(SideshootError):
    """What an agent left could not be saved whole; nothing was deleted."""


class KeepConflict(SideshootError):
    """The agent and the user changed the same place; nothing was written.

    `paths` are the conflicted paths, relative to the top of the working tree, and `settles` whether
    a side can be chosen for them.
    """

    def __init__(self, message: str, paths: Sequence[bytes], *, settles: bool = False) -> None:
        super().__init__(message)
        self.paths = tuple(paths)
        self.settles = settles


class KeepRefused(SideshootError):
    """Something is in the way of a change (a file, a link, a lock); nothing was written."""


class WrongState(SideshootError):
    """The job is not in a state that allows this: still running, already kept, discarded."""


class Busy(SideshootError):
    """Another command holds the lock, and did not let go of it in time."""


class StoreDamaged(SideshootError):
    """The records can't be read; `sideshoot gc --rebuild` makes them anew from refs and folders."""
