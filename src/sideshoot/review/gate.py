"""The review gate: a look at what an agent edited in its turn, before the host lets the turn end.

A fault of the gate's own never holds a turn up: it says so, and what could not be reviewed is still due
when the next turn ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.errors import SideshootError
from sideshoot.model import Request
from sideshoot.review.ephemeral import ask_once
from sideshoot.review.gate_prompt import SCHEMA, Ruling, gate_prompt, read_ruling
from sideshoot.review.gate_sessions import Sessions, session_key
from sideshoot.review.material import gather
from sideshoot.review.start import reviewing_of
from sideshoot.review.target import TEXT_LIMIT, Target
from sideshoot.workspace.base import carried
from sideshoot.workspace.compare import changed_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sideshoot.agents.base import Stop
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.review.gate_settings import GateSettings, Reviewer
    from sideshoot.workspace.compare import FileChange

_MOST_OF_REASON = 10_000
"""In characters; the host gives it to a model."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A turn that is about to end, as its host tells of it."""

    session: str
    message: str = ""
    """What the agent said last."""
    is_again: bool = False
    """Whether the turn went on because a hook had held it up. It is not held up twice."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a turn may end."""

    blocks: bool = False
    text: str = ""
    """Why not, for the agent; or what the user should know, if it may."""

    def as_host_wants_it(self) -> dict[str, Any]:
        """The object for standard output, as hooks of Claude Code answer at a stop.

        https://docs.claude.com/en/docs/claude-code/hooks
        """
        if self.blocks:
            return {"decision": "block", "reason": self.text}
        return {"systemMessage": self.text} if self.text else {}


ALLOWED = Decision()


def unreviewed(why: str) -> Decision:
    """A turn that may end though nobody has looked at it."""
    return Decision(text=f"Sideshoot's review gate did not look at this turn: {why}")


class Gate:
    """The gate of one working tree, for one session of a host."""

    def __init__(
        self,
        repository: Repository,
        store: Store,
        settings: GateSettings,
        session: str,
        *,
        reviewer: Callable[[], Reviewer],
    ) -> None:
        """:param reviewer: gives who reviews; called only if there is something to look at."""
        self._repository = repository
        self._reviewer = reviewer
        self._settings = settings
        self._sessions = Sessions(store)
        self._session = session_key(session, str(repository.top))

    def session_started(self) -> None:
        """A session starts, or is gone on with."""
        if self._sessions.turn(self._session).tree is None:
            self._sessions.begin(self._session, self._tree())

    def prompted(self) -> None:
        """The user has sent a prompt."""
        if not self._sessions.turn(self._session).is_due:
            self._sessions.prompt(self._session, self._tree())

    def stopped(self, turn: Stopped, stop: Stop | None = None) -> Decision:
        """Decide whether a turn may end.

        :param stop: ends the review when it is requested.
        :raises SideshootError: a fault of the gate's own.
        """
        after = self._tree()
        before = self._before()
        if turn.is_again or before == after:
            self._sessions.settle(self._session, after)
            return ALLOWED
        self._sessions.owe(self._session, before)
        known = self._sessions.turn(self._session)
        why_not = self._sessions.claim(self._session, self._settings)
        if why_not is not None:
            return unreviewed(why_not)
        try:
            agent, ruling = self._asked(before, after, turn.message, stop)
        except BaseException:
            self._sessions.release(self._session, known)
            raise
        if ruling.allows:
            self._sessions.settle(self._session, after)
            return ALLOWED
        return Decision(blocks=True, text=_told(agent, ruling))

    def _before(self) -> str:
        """What the turn began with; the last commit if nobody told, or if that is not there any more."""
        known = self._sessions.turn(self._session).tree
        found, head = self._repository.objects(f"{known or 'HEAD'}^{{tree}}", "HEAD^{tree}")
        return found or head or self._repository.empty_tree

    def _tree(self) -> str:
        return carried(self._repository).tree

    def _asked(
        self, before: str, after: str, message: str, stop: Stop | None
    ) -> tuple[str, Ruling]:
        agent, model, effort = self._reviewer()
        reviewing = reviewing_of(self._repository, Request(agent))
        target = self._target(before, after)
        material = gather(self._repository, target, limit=reviewing.inline_bytes)
        answer = ask_once(
            self._repository,
            gate_prompt(target, material, message, has_shell=reviewing.has_shell),
            agent=agent,
            model=model,
            effort=effort,
            timeout_s=self._settings.timeout_s,
            schema=SCHEMA,
            stop=stop,
        )
        if not answer.succeeded:
            raise SideshootError(answer.error or f"{agent} gave no answer")
        ruling = read_ruling(answer.message or "")
        if ruling is None:
            raise SideshootError(f"{agent} said neither ALLOW nor BLOCK")
        return agent, ruling

    def _target(self, before: str, after: str) -> Target:
        changes: Sequence[FileChange] = changed_files(
            self._repository, before, after, text_limit=TEXT_LIMIT
        )
        return Target(
            what="what was edited in this turn",
            before=before,
            after=after,
            changes=tuple(changes),
            is_here=True,
        )


def _told(agent: str, ruling: Ruling) -> str:
    reason = ruling.reason[:_MOST_OF_REASON] or "it gave no reason"
    return (
        f"A review of your edits in this turn, by {agent} for Sideshoot's review gate, asks for a change"
        f" before you stop: {reason}\n\nLook whether it is so. Mend it if it is; if it is not, say why. You"
        " will not be held up a second time."
    )
