"""What the gate remembers of each session of a host, in the repository's store.

For each session and working tree: what the tree was when the turn began, and how often turns were
reviewed. It is a fingerprint, the id of a tree, so that an edit is seen however it was made: by a tool of
the host, by a command, by a program that writes files.

::

    session start     remembers the tree, if nothing is known of the session
    a prompt          remembers the tree, unless an earlier turn is still due: so what the user edits
                      between two turns is no edit of the second
    a stop that goes through reviewed, or with nothing edited
                      remembers the tree; nothing is due
    a stop that is held up, or that could not be reviewed
                      leaves it: those edits are still due at the next stop
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.jobs.store import Store
    from sideshoot.review.gate_settings import GateSettings

KEY = "gate.sessions"
"""The setting that holds it; none of the user's."""
KEPT_S = 14 * 24 * 3600.0
"""A session that has not been heard of for so long is forgotten."""
MOST_SESSIONS = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One session in one working tree."""

    tree: str | None = None
    """The tree as the turn began; `None` if nobody told."""
    is_due: bool = False
    """Whether a turn began that has not gone through."""
    reviews: int = 0
    reviewed_at: float | None = None
    seen_at: float = 0


class Sessions:
    """The sessions of a repository; each change is one transaction, since many hooks run at once."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def turn(self, session: str) -> Turn:
        """What is known of a session; nothing if it is new."""
        return self._read().get(session, Turn())

    def begin(self, session: str, tree: str) -> None:
        """A session starts, or is gone on with."""
        self._change(session, lambda turn: turn if turn.tree else replace(turn, tree=tree))

    def prompt(self, session: str, tree: str) -> None:
        """The user has sent a prompt: a turn begins."""
        self._change(
            session, lambda turn: turn if turn.is_due else replace(turn, tree=tree, is_due=True)
        )

    def settle(self, session: str, tree: str) -> None:
        """A turn has gone through."""
        self._change(session, lambda turn: replace(turn, tree=tree, is_due=False))

    def owe(self, session: str, tree: str) -> None:
        """A turn goes on, or went through unreviewed; its edits count as from `tree`."""
        self._change(session, lambda turn: replace(turn, tree=tree, is_due=True))

    def claim(self, session: str, settings: GateSettings) -> str | None:
        """Count a review of this session.

        :return: why there may be none; nothing is counted then.
        """
        with self._store.transaction():
            turn, now = self.turn(session), self._now()
            if turn.reviews >= settings.max_per_session:
                return f"{turn.reviews} turns of this session were reviewed, and there are no more"
            since = now - turn.reviewed_at if turn.reviewed_at is not None else None
            if since is not None and 0 <= since < settings.cooldown_s:
                return f"the last review was {since / 60:.0f} min ago"
            self._write(session, replace(turn, reviews=turn.reviews + 1, reviewed_at=now))
            return None

    def release(self, session: str, before: Turn) -> None:
        """Take a count back: no review came of it.

        :param before: the session as it was before the count.
        """
        self._change(
            session,
            lambda turn: replace(
                turn, reviews=max(turn.reviews - 1, 0), reviewed_at=before.reviewed_at
            ),
        )

    def _change(self, session: str, change: Callable[[Turn], Turn]) -> None:
        with self._store.transaction():
            self._write(session, change(self.turn(session)))

    def _write(self, session: str, turn: Turn) -> None:
        """Record it, and forget who has not been heard of for long."""
        now = self._now()
        known = self._read() | {session: replace(turn, seen_at=now)}
        newest = sorted(known.items(), key=lambda item: item[1].seen_at)[-MOST_SESSIONS:]
        kept = {key: asdict(one) for key, one in newest if one.seen_at > now - KEPT_S}
        self._store.set_setting(KEY, json.dumps(kept))

    def _read(self) -> dict[str, Turn]:
        try:
            known = json.loads(self._store.setting(KEY) or "{}")
            return {str(session): Turn(**facts) for session, facts in known.items()}
        except (ValueError, TypeError, AttributeError):
            return {}  # of another version: a turn more is reviewed, and nothing is lost


def session_key(session: str, top: str) -> str:
    """A session in a working tree: one may move between several."""
    raw = f"{session}\0{top}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()[:32]
