"""What every agent is to Sideshoot: something that turns a task into events and an outcome."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.fence.model import Fence, Level


class EventKind(StrEnum):
    """The kinds of events, the same for all agents."""

    STARTED = "started"
    MESSAGE = "message"
    REASONING = "reasoning"
    COMMAND = "command"
    FILE_CHANGE = "file_change"
    TOOL = "tool"
    PLAN = "plan"
    USAGE = "usage"
    PHASE = "phase"
    WARNING = "warning"
    ERROR = "error"
    OUTPUT = "output"
    """A piece of what a command agent printed."""
    RAW = "raw"
    """A message of the agent's that has no other kind; kept, never an error."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; the event log adds time and sequence number.

    `data` holds the facts of the kind, as JSON can hold them:

    ======================  ====================================================================
    ``message``             ``text``, ``final`` (bool)
    ``reasoning``           ``text``
    ``command``             ``command`` (text), ``status`` (started|finished), ``exit_status``
    ``file_change``         ``paths`` (list of text), ``status``
    ``tool``                ``name``, ``status``, ``detail``
    ``plan``                ``steps``: list of {``text``, ``status``}
    ``usage``               the counts: ``input_tokens``, ``output_tokens``, ``total_tokens``, ``cost_usd`` …
    ``phase``               ``name``
    ``warning``, ``error``  ``text``
    ``output``              ``stream`` (stdout|stderr), ``text``; ``base64`` where it is not UTF-8
    ``raw``                 ``payload``
    ======================  ====================================================================
    """

    kind: EventKind
    data: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    """The kind of the agent's own message that this was."""


class StopReason(StrEnum):
    """Why an agent is told to stop."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    IDLE = "idle"
    OUTPUT_LIMIT = "output_limit"


class Stop:
    """A request to stop that any thread may make, once, and that an agent can wait for."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.reason: StopReason | None = None

    def request(self, reason: StopReason) -> None:
        """Ask for the stop; later reasons change nothing."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            callbacks = list(self._callbacks)
        self._requested.set()
        for callback in callbacks:
            callback()

    def on_request(self, callback: Callable[[], None]) -> None:
        """Call back once it is asked for: at once if it was already. May run in any thread."""
        with self._lock:
            if self.reason is None:
                self._callbacks.append(callback)
                return
        callback()

    @property
    def requested(self) -> bool:
        return self._requested.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._requested.wait(timeout_s)


@dataclass(frozen=True, slots=True)
class Task:
    """What an agent is to do, and where."""

    prompt: str
    """The task in the user's words, or what they wrote to a command's standard input."""
    command: tuple[str, ...]
    """The argument list of a command agent; empty for the others."""
    folder: Path
    """Where the agent starts: the folder of the workspace that corresponds to the caller's."""
    top: Path
    """The workspace's top folder; an agent with a sandbox may write below it."""
    writable: tuple[Path, ...] = ()
    """Further folders that git needs written for commits on the job's own branch, and nothing else."""
    read_only: bool = False
    model: str | None = None
    effort: str | None = None
    mode: str | None = None
    """One of the agent's own modes, such as `plan`; only for agents that have some."""
    thread_id: str | None = None
    """The conversation to go on with."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of the caller's; one of them marks every process of the job."""
    stderr: Path | None = None
    """The file that takes the agent's standard error where it is not part of its answer."""
    checkout: Path | None = None
    """The user's own tree, for agents that keep something of it; nothing is written there."""
    fence: Fence | None = None
    """What the agent's program has to be started in, and below how it is put up."""
    mechanism: Mechanism | None = None
    output_schema: Mapping[str, Any] | None = None
    """The JSON Schema that the last message has to meet, for agents that can hold a model to one.
    The prompt asks for it as well."""
    ephemeral: bool = False
    """Leave no conversation behind that could be gone on with."""
    reviewer: Mapping[str, Any] | None = None
    """What Codex's own reviewer is to look at, as `review/start` takes its target; with it there is
    no prompt. Other agents have no reviewer."""


@dataclass(frozen=True, slots=True)
class AgentResult:
    """How an agent ended. Not whether its work is any good: that is for the user to see."""

    succeeded: bool
    exit_code: int | None = None
    message: str = ""
    """The last message, word for word."""
    error: str | None = None
    """Why it did not succeed, in one line; with the last lines of its standard error if it died."""
    thread_id: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an agent can be used here."""

    installed: bool
    version: str | None = None
    logged_in: bool | None = None
    """`None` where the agent has no such notion or did not say."""
    detail: str = ""
    remedy: str = ""
    """The exact command that mends it."""
    answers: bool = True
    """Whether the program says anything when it is asked."""

    @property
    def ready(self) -> bool:
        """Whether a task can be given to it, as far as that can be known before."""
        return self.installed and self.answers and self.logged_in is not False


@dataclass(frozen=True, slots=True)
class Grants:
    """What of an agent's own a fence leaves open to it."""

    folders: tuple[Path, ...] = ()
    """Where it keeps its conversations, its login and its log; made where they are missing."""
    files: tuple[Path, ...] = ()
    """Single files of that kind; left out where they are missing."""
    settings: tuple[Path, ...] = ()
    """Files directly in these folders that may name programs to run: read, and not written. Left out
    where they are missing."""


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What an agent can do for a review."""

    inline_bytes: int
    """So much of a change goes into its prompt; it leaves its models room for the code around it."""
    has_shell: bool = False
    """Whether it can run commands that look where it may change nothing."""
    has_reviewer: bool = False
    """Whether it has a reviewer of its own, which takes `Task.reviewer`."""


class Agent(Protocol):
    """Something that can do a task."""

    name: str
    has_modes: bool
    """Whether a task can name one of its own modes."""
    sandboxed: bool
    """Whether it holds what it runs to the task's folders by a sandbox of its own."""
    reviewing: Reviewing | None
    """`None` if it can't review."""

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        """Ask the program itself, within a few seconds; starts nothing that stays.

        :param environment: what it is asked in; the caller's, if it is left out.
        """

    def grants(self, level: Level, mechanism: Mechanism) -> Grants:
        """What of its own the program has to write, where a fence is put around it.

        :raises CannotStart: it can't work inside such a fence; the line says why.
        """

    def run(self, task: Task, emit: Callable[[Event], None], stop: Stop) -> AgentResult:
        """Do the task, and return once no process of it is left.

        Every exit ends the whole tree of processes, also by exception. When `stop` is requested the
        agent's own interrupt comes first. A failure of the agent is a result; what is raised is
        `AgentUnavailable` if it could not start, or a defect.
        """
