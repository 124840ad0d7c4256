"""`sideshoot hook`: what hosts call when something happens in one of their sessions."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command
from sideshoot.errors import NotARepository, SideshootError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.cli.command import Call
    from sideshoot.git import Repository
    from sideshoot.review.gate import Decision, Gate

EXAMPLES = "sideshoot hook stop < event.json"

HELP = """Answer a hook of a host, which tells of EVENT as JSON on standard input.

EVENT is session-start, user-prompt-submit or stop, as Claude Code has them. The exit status is 0 whatever
happens: a host would take others for a wish to hold it up.
"""

MOST_BYTES = 8 * 1024 * 1024
_SESSION = "SIDESHOOT_SESSION"


@dataclass(frozen=True, slots=True)
class HostEvent:
    """What a host tells."""

    session: str
    folder: Path
    facts: dict[str, Any]

    def text(self, key: str) -> str:
        value = self.facts.get(key)
        return value if isinstance(value, str) else ""


@click.command(
    "hook",
    cls=Command,
    help=HELP,
    example=EXAMPLES,
    hidden=True,
    # What a newer host may call with must not end with 2, which means to hold it up.
    ignore_unknown=True,
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="EVENT")
def command(call: Call, words: tuple[str, ...]) -> int:
    name = (words[0] if words else "").replace("-", "").replace("_", "").lower()
    act = _EVENTS.get(name)
    if act is None:
        output.note(
            f"sideshoot: no hook {name!r}; there are session-start, user-prompt-submit, stop"
        )
        return 0
    answer = _answer(call, act)
    if answer is not None:
        shown = answer.as_host_wants_it()
        if shown:
            output.say(json.dumps(shown))  # for any encoding: all else is escaped
    return 0


def _answer(call: Call, act: Callable[[HostEvent], Decision | None]) -> Decision | None:
    """What comes of an event; a fault of ours is a word to the user."""
    from sideshoot.agents.ending import MARKER  # noqa: PLC0415 - not for --help

    if os.environ.get(MARKER):
        return None  # an agent that Sideshoot itself has started, as a gate's reviewer is
    try:
        return act(_read(call))
    except SideshootError as error:
        return _fault(act, str(error))
    except Exception as error:  # noqa: BLE001 - the last resort: the host goes on in any case
        from sideshoot.cli.faults import report_fault  # noqa: PLC0415 - rare

        return _fault(act, str(report_fault(error, ["hook"])))


def _fault(act: Callable[[HostEvent], Decision | None], why: str) -> Decision | None:
    from sideshoot.review.gate import unreviewed  # noqa: PLC0415 - rare

    line = " ".join(why.split())
    if act is not _stop:
        # What these hooks print goes to the host's model.
        output.note(f"sideshoot: {line}")
        return None
    return unreviewed(line)


def _read(call: Call) -> HostEvent:
    """:raises SideshootError: it is not what a host tells."""
    from sideshoot.review.answer import load_json  # noqa: PLC0415 - not for --help

    data = sys.stdin.buffer.read(MOST_BYTES + 1) if sys.stdin is not None else b""
    if len(data) > MOST_BYTES:
        raise SideshootError("the host told too much")
    try:
        facts = load_json(data.decode("utf-8-sig", "replace"))
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise SideshootError("what the host told is no JSON object")
    event = HostEvent(str(facts.get("session_id") or ""), call.folder, facts)
    folder = event.text("cwd")
    if folder and not call.named and "\0" not in folder:
        return HostEvent(event.session, Path(folder), facts)
    return event


def _gate(event: HostEvent) -> Gate | None:
    """The gate of the repository that a session is in; `None` where there is none, or it is off."""
    from sideshoot.config import load  # noqa: PLC0415 - not for --help
    from sideshoot.git import discover  # noqa: PLC0415 - not for --help
    from sideshoot.review.gate_settings import gate_settings  # noqa: PLC0415 - the same

    try:
        repository = discover(event.folder)
    except NotARepository:
        if gate_settings(load(lenient=True)).enabled:
            raise
        return None
    return _gate_of(repository, event.session)


def _gate_of(repository: Repository, session: str) -> Gate | None:
    from sideshoot.jobs.settings import load_config  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.store import Store  # noqa: PLC0415 - the same
    from sideshoot.review.gate_settings import gate_settings, reviewer_of  # noqa: PLC0415

    has_records = repository.state_dir.exists()
    store = Store.open(repository.state_dir) if has_records else None
    config = load_config(repository, store, lenient=True)
    settings = gate_settings(config)
    if not settings.enabled:
        return None
    from sideshoot.review.gate import Gate  # noqa: PLC0415 - only where it is on

    store = store or Store.open(repository.state_dir)
    return Gate(repository, store, settings, session, reviewer=partial(reviewer_of, config))


def _session_start(event: HostEvent) -> None:
    _hand_on(event.session)
    gate = _gate(event)
    if gate is not None:
        gate.session_started()


def _user_prompt_submit(event: HostEvent) -> None:
    gate = _gate(event)
    if gate is not None:
        gate.prompted()


def _stop(event: HostEvent) -> Decision | None:
    gate = _gate(event)
    if gate is None:
        return None
    from sideshoot.agents.base import Stop, StopReason  # noqa: PLC0415 - only where it is on
    from sideshoot.jobs.interrupts import Interrupts  # noqa: PLC0415 - the same
    from sideshoot.review.gate import Stopped  # noqa: PLC0415 - the same

    turn = Stopped(
        session=event.session,
        message=event.text("last_assistant_message"),
        is_again=event.facts.get("stop_hook_active") is True,
    )
    stop = Stop()

    def end() -> None:
        stop.request(StopReason.CANCELLED)

    # The host ends its hooks when their time is over: no process of ours may stay behind.
    with Interrupts(end, end):
        return gate.stopped(turn, stop)


def _hand_on(session: str) -> None:
    """Tell the commands of this session which one it is, once, however often the session starts."""
    file = os.environ.get("CLAUDE_ENV_FILE")
    if not file or not session or not session.isprintable():
        return
    line = f"export {_SESSION}={shlex.quote(session)}\n"
    path = Path(file)
    with suppress(OSError):
        known = path.read_text(errors="replace") if path.exists() else ""
        if line not in known.splitlines(keepends=True):
            with path.open("a") as out:
                out.write(line if not known or known.endswith("\n") else f"\n{line}")


_EVENTS: dict[str, Callable[[HostEvent], Decision | None]] = {
    "sessionstart": _session_start,
    "userpromptsubmit": _user_prompt_submit,
    "stop": _stop,
}
