"""The words of the design as types: jobs, their states, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

JobId = NewType("JobId", str)


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


class Outcome(StrEnum):
    """How the agent's work ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The worker died before the agent was done."""


class Decision(StrEnum):
    """What the user chose to do with the result."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly kept"
    DISCARDED = "discarded"


class Carry(StrEnum):
    """Which of the user's uncommitted changes a workspace starts with."""

    ALL = "all"
    TRACKED = "tracked"
    NONE = "none"


class Copy(StrEnum):
    """What kind of copy of the user's repository an agent gets."""

    WORKTREE = "worktree"
    """A linked working tree: it shares the user's objects and refs."""
    CLONE = "clone"
    """A quarantined clone: it has a repository of its own, and reads the user's objects."""


class Isolation(StrEnum):
    """Where the agent works."""

    WORKTREE = "worktree"
    """In a workspace of its own."""
    IN_PLACE = "in-place"
    """In the user's own tree."""
    READ_ONLY = "read-only"
    """Without leave to write: in the user's own tree, or in a copy of `Request.base` that goes
    once the job is done."""


class ReviewKind(StrEnum):
    """What is asked of a reviewer."""

    REVIEW = "review"
    """To find what is wrong with a change."""
    ADVERSARIAL = "adversarial-review"
    """To break the confidence in a change."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The change that a review is about."""

    kind: ReviewKind
    what: str
    """The change in words: `the working tree`, `commit 1f3c2ab`."""
    before: str
    """The commit that the change began at."""
    after: str
    """The commit that it led to; what findings say of lines is said of this one."""
    paths: tuple[str, ...] = ()
    """Only what lies at these or below them, relative to the top, with bytes that are no text as
    `os.fsdecode` gives them; everything if there are none."""
    job: str | None = None
    """The job whose result it is."""

    @property
    def title(self) -> str:
        """`review of the working tree`."""
        return f"{self.kind.replace('-', ' ')} of {self.what}"


@dataclass(frozen=True, slots=True)
class Driver:
    """How an agent of the user's own is started, as their configuration says it."""

    protocol: str
    """`acp` for the Agent Client Protocol, `command` for a program that takes the task once."""
    argv: tuple[str, ...]
    """Its argument list; for a command, `{prompt}` and the like stand in it."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables on top of the caller's."""
    writable: tuple[str, ...] = ()
    """Folders that it has to write in, where a fence is put around it."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a new workspace is given before the agent starts, as it was set when the job was asked for."""

    link: tuple[str, ...] = ()
    """Paths that it shares with the user's tree, relative to the top."""
    setup: tuple[str, ...] = ()
    """Commands for a shell, run in it."""
    setup_timeout_s: float | None = 600.0
    """How long these may take together, in seconds; `None` means no limit."""
    pool: int = 0
    """So many finished workspaces are held to be used again."""
    lfs: str | None = None
    """What becomes of files of git-lfs: `skip`, `pull`, or what git makes of them."""
    cache: tuple[str, ...] = ()
    """Paths that stay in those though git ignores them, relative to the top."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; it never changes once the job is recorded."""

    agent: str
    prompt: str = ""
    """The task in the user's words; empty for a command."""
    command: tuple[str, ...] = ()
    """The argument list of a command agent; empty for a task."""
    model: str | None = None
    effort: str | None = None
    agent_mode: str | None = None
    """One of the agent's own modes; only for agents that have some."""
    driver: Driver | None = None
    """How the agent is started, if it is one that the user's configuration names."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables for one of ours on top of the caller's, as the user's configuration says."""
    carry: Carry = Carry.ALL
    base: str | None = None
    """The revision to start from; `None` is the present HEAD, or for a look the user's tree."""
    isolation: Isolation = Isolation.WORKTREE
    copy: Copy | None = None
    """The kind of its workspace, where it has one; `None`, which no recorded job with a workspace of
    its own has, is what is set."""
    timeout_s: float | None = 1800.0
    """Wall-clock limit in seconds; `None` means no limit."""
    idle_timeout_s: float | None = None
    """Limit in seconds without any event; `None` means no limit."""
    output_limit: int | None = None
    """Limit in bytes of what the agent prints; `None` means no limit."""
    resume: str | None = None
    """The id of the job whose thread is continued."""
    thread: str | None = None
    """A thread that no job has begun, and that this one goes on with."""
    writable: tuple[str, ...] = ()
    """Folders that a fence leaves open beside the workspace."""
    sandbox: str | None = "off"
    """The level of the fence around the agent (see `sideshoot.fence.model.Level`); `None`, which no
    record has, leaves the choice to who records the job."""
    directory: str | None = None
    """The folder that holds the workspace; `None` is where workspaces lie by default."""
    equipment: Equipment = Equipment()
    """What the workspace is given."""
    name: str | None = None
    """A name that the user gave."""
    sparse: tuple[str, ...] = ()
    """The folders that the workspace has, relative to the top, with bytes that are no text as
    `os.fsdecode` gives them; none are named where it has what the user's tree has."""
    subfolder: str = ""
    """Where in the tree the caller stood, relative to its top."""
    review: Reviewed | None = None
    """What is reviewed, where the job is a review; `prompt` is what to look at above all then."""
    from_review: str | None = None
    """The id of the review whose findings are the task."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request to an agent and all that came of it."""

    id: JobId
    request: Request
    state: State = State.QUEUED
    outcome: Outcome | None = None
    decision: Decision = Decision.OPEN
    created_at: float = 0.0
    """Seconds since the epoch, as all times here."""
    started_at: float | None = None
    finished_at: float | None = None
    session: str | None = None
    """The host's session that asked for it."""
    target: str = ""
    """The top folder of the working tree that the work is for."""
    worktree: str | None = None
    """The workspace's folder; `None` before it is opened and without isolation."""
    git_dir: str | None = None
    """The workspace's own git directory."""
    opened: bool = False
    """Whether the workspace was complete; before that, nothing in it is the agent's."""
    branch: str | None = None
    head: str | None = None
    """The user's commit that the workspace's branch started from; `None` if there was none yet."""
    base: str | None = None
    """The commit that holds what the workspace started with."""
    result: str | None = None
    """The commit that holds what the agent left."""
    mechanism: str = "none"
    """What puts the fence up (see `sideshoot.fence.mechanism.Kind`)."""
    exit_code: int | None = None
    message: str | None = None
    """The agent's last message."""
    error: str | None = None
    """Why it did not succeed, in one line."""
    thread_id: str | None = None
    """The agent's own name for the conversation."""
    usage: dict[str, Any] = field(default_factory=dict)
    ignored_count: int = 0
    """How many ignored outputs the agent left; they are not in the result."""
    ignored_paths: tuple[str, ...] = ()
    """The first of them, folders collapsed, as text."""
    warnings: tuple[str, ...] = ()
    kept_paths: tuple[str, ...] = ()
    """What a partial keep brought, as text (see `sideshoot.text.show_path`)."""
    continued_by: str | None = None
    """The job that goes on in this one's workspace; what is decided there holds for both."""
    decided_at: float | None = None
    worker_pid: int | None = None
    worker_started: float | None = None
    """When the kernel says that the worker process began; tells a reused pid apart."""
    boot_id: str | None = None

    @property
    def title(self) -> str:
        """One line that says what was asked."""
        if self.request.name:
            return self.request.name
        if self.request.command:
            import shlex  # noqa: PLC0415 - only where a title is shown

            return shlex.join(self.request.command)
        if self.request.review:
            return self.request.review.title
        words = " ".join(self.request.prompt.split())
        if self.request.from_review and not words:
            return f"mend what review {self.request.from_review} found"
        return words
