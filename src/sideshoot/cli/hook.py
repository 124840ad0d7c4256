"""`sideshoot hook`: what hosts call when something happens in one of their sessions."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.actions import command_from_anywhere
from sideshoot.cli.command import Command
from sideshoot.errors import NotARepository, SideshootError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sideshoot.cli.command import Call
    from sideshoot.git import Repository
    from sideshoot.jobs.store import Store
    from sideshoot.model import Job
    from sideshoot.review.gate import Gate

    Answer = dict[str, Any]
    Act = Callable[["HostEvent"], Answer | None]

EXAMPLES = "sideshoot hook stop < event.json"

HELP = """Answer a hook of a host, which tells of EVENT as JSON on standard input.

EVENT is session-start, user-prompt-submit, pre-tool-use, stop or session-end, as Claude Code has them. The
exit status is 0 whatever happens: a host would take others for a wish to hold it up. With worktree-create and
worktree-remove, which a host leaves to its hooks, it says whether they were done.
"""

MOST_BYTES = 8 * 1024 * 1024
_SESSION = "SIDESHOOT_SESSION"
_FAR_ENOUGH = 200
"""A slash command begins the prompt, but for some space."""


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
    if name in _ANSWERED_BY_STATUS:
        return _worktree(call, name)
    acts = _EVENTS.get(name)
    if acts is None:
        output.note(
            f"sideshoot: no hook {name!r}; there are session-start, user-prompt-submit, pre-tool-use,"
            " stop, session-end, worktree-create, worktree-remove"
        )
        return 0
    answers = _answers(call, acts)
    if answers:
        output.say(json.dumps(answers))  # for any encoding: all else is escaped
    return 0


def _answers(call: Call, acts: Sequence[Act]) -> Answer:
    """What comes of an event, as one object for the host; a fault of ours is a word to the user."""
    from sideshoot.agents.ending import MARKER  # noqa: PLC0415 - not for --help

    if os.environ.get(MARKER):
        return {}  # an agent that Sideshoot itself has started, as a gate's reviewer is
    try:
        event = _read(call)
    except SideshootError as error:
        return _fault(acts[0], str(error))
    answers: Answer = {}
    for act in acts:
        answers |= _answer(act, event)
    return answers


def _answer(act: Act, event: HostEvent) -> Answer:
    try:
        return act(event) or {}
    except SideshootError as error:
        return _fault(act, str(error))
    except Exception as error:  # noqa: BLE001 - the last resort: the host goes on in any case
        from sideshoot.cli.faults import report_fault  # noqa: PLC0415 - rare

        return _fault(act, str(report_fault(error, ["hook"])))


def _fault(act: Act, why: str) -> Answer:
    from sideshoot.review.gate import unreviewed  # noqa: PLC0415 - rare

    line = " ".join(why.split())
    if act is not _stop:
        # What these hooks print goes to the host's model.
        output.note(f"sideshoot: {line}")
        return {}
    return unreviewed(line).as_host_wants_it()


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


def _hold_words(event: HostEvent) -> Answer | None:
    """Hold what the user has typed, if it is a slash command of our plugin's."""
    prompt = event.text("prompt")
    if "/sideshoot:" not in prompt[:_FAR_ENOUGH]:
        return None
    from sideshoot.plugin.typed import hold, read_command  # noqa: PLC0415 - few prompts are one

    typed = read_command(prompt)
    if typed is None:
        return None
    name = hold(replace(typed, session=event.session, folder=str(event.folder.absolute())))
    told = f"Sideshoot holds what the user typed, word for word. Its `request` is {name}"
    return {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": told}}


def _prompted(event: HostEvent) -> None:
    gate = _gate(event)
    if gate is not None:
        gate.prompted()


def _worktree(call: Call, name: str) -> int:
    """What a host waits for, and can't do itself if it fails: an error is an error here."""
    from sideshoot.cli import worktrees  # noqa: PLC0415 - for these events only

    act = worktrees.create if name == "worktreecreate" else worktrees.remove
    act(call, _read(call))
    return 0


def _before_tool(event: HostEvent) -> Answer | None:
    from sideshoot.cli.guarding import before_tool  # noqa: PLC0415 - for this event only

    return before_tool(event)


def _stop(event: HostEvent) -> Answer | None:
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
        return gate.stopped(turn, stop).as_host_wants_it()


def _session_end(event: HostEvent) -> None:
    """Note which jobs of the session go on without it, and say it where that is shown."""
    from sideshoot.plugin.background import leave  # noqa: PLC0415 - not for --help

    store = _records(event)
    for job in leave(store, event.session) if store and event.session else ():
        command = command_from_anywhere(job.target, "status", job.id)
        output.note(f"sideshoot: job {job.id} goes on in the background; {command}")


def _tell_of_left(event: HostEvent) -> Answer | None:
    """Tell the user which jobs sessions before this one have left at work."""
    from sideshoot.plugin.background import inherit  # noqa: PLC0415 - not for --help

    store = _records(event)
    return _told(inherit(store, event.session)) if store and event.session else None


def _tell_of_ended(event: HostEvent) -> Answer | None:
    """Tell the user which jobs in the background of the session have ended."""
    from sideshoot.plugin.background import ended  # noqa: PLC0415 - not for --help

    store = _records(event)
    return _told(ended(store, event.session)) if store and event.session else None


def _told(jobs: Sequence[Job]) -> Answer | None:
    from sideshoot.plugin.background import line_of  # noqa: PLC0415 - not for --help

    return {"systemMessage": "\n".join(map(line_of, jobs))} if jobs else None


def _records(event: HostEvent) -> Store | None:
    """The records of the repository that a session is in, where there are any."""
    from sideshoot.git import discover  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.store import Store  # noqa: PLC0415 - the same

    try:
        state_dir = discover(event.folder, only_to_look=True).state_dir
    except NotARepository:
        return None
    return Store.open(state_dir) if state_dir.exists() else None


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


_ANSWERED_BY_STATUS = ("worktreecreate", "worktreeremove")

_EVENTS: dict[str, tuple[Act, ...]] = {
    "sessionstart": (_session_start, _tell_of_left),
    "userpromptsubmit": (_hold_words, _prompted, _tell_of_ended),
    "pretooluse": (_before_tool,),
    "stop": (_stop,),
    "sessionend": (_session_end,),
}
