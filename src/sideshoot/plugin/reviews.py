"""`/sideshoot:review` and `/sideshoot:adversarial-review`: have a change looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.errors import UsageError
from sideshoot.mcp.running import review_creation
from sideshoot.plugin.flags import SWITCH, VALUE, VALUES, Flags

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.cli.place import Place
    from sideshoot.mcp.exchange import Exchange
    from sideshoot.model import Job
    from sideshoot.plugin.typed import Typed

FLAGS = {
    "--base": VALUE,
    "--scope": VALUE,
    "--commit": VALUE,
    "--pr": VALUE,
    "--job": VALUE,
    "--path": VALUES,
    "--agent": VALUE,
    "--model": VALUE,
    "--effort": VALUE,
    "--free": SWITCH,
    "--background": SWITCH,
    "--wait": SWITCH,
}
"""What may stand in front of the focus."""

_SCOPES = ("auto", "working-tree", "branch")
_AS_GIVEN = ("base", "commit", "job", "agent", "model", "effort")


def review_flags(typed: Typed) -> Flags:
    """The flags and the focus of a review.

    :raises UsageError: they contradict each other, or words are given to a review that takes none.
    """
    flags = Flags(typed.words, FLAGS)
    if flags.has("--background") and flags.has("--wait"):
        raise UsageError("--background and --wait contradict each other; nothing was begun")
    if flags.text.strip() and typed.command == "review":
        raise UsageError(
            "review takes no words of yours; /sideshoot:adversarial-review FOCUS looks at something"
            " above all, and each path has a --path of its own"
        )
    return flags


def creation_of(exchange: Exchange, typed: Typed) -> tuple[Place, Callable[[], Job]]:
    """What records the review that is asked for; the change is found now."""
    flags = review_flags(typed)
    facts: dict[str, Any] = {
        name: flags.one(f"--{name}") for name in _AS_GIVEN if flags.has(f"--{name}")
    }
    facts |= {"background": flags.has("--background"), "free": flags.has("--free")}
    facts["adversarial"] = typed.command == "adversarial-review"
    facts["focus"] = flags.text if flags.text.strip() else ""
    facts["paths"] = flags.all("--path")
    facts |= {"folder": typed.folder} if typed.folder else {}
    facts |= _scope(flags) | _pull_request(flags)
    return review_creation(exchange, facts)


def _scope(flags: Flags) -> dict[str, str]:
    scope = flags.one("--scope")
    if scope is not None and scope not in _SCOPES:
        raise UsageError(f"--scope is one of {', '.join(_SCOPES)}, not {scope!r}")
    return {} if scope is None else {"scope": scope}


def _pull_request(flags: Flags) -> dict[str, int]:
    number = flags.one("--pr")
    if number is None:
        return {}
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise UsageError(f"--pr takes the number of a pull request, not {number!r}")
    return {"pr": int(number)}
