"""`sideshoot transfer`: hand a conversation from one agent to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.actions import command_in, next_command
from sideshoot.cli.command import Command
from sideshoot.cli.diffstat import counted
from sideshoot.errors import UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from sideshoot.agents.conversation import Conversation
    from sideshoot.agents.transfer import Party, Source, Taken
    from sideshoot.cli.command import Call

EXAMPLES = """\
sideshoot transfer
sideshoot transfer --to opencode
sideshoot transfer --from codex --to claude"""

HELP = """Hand a conversation from one agent to another, which then goes on with all that was said.

Left to itself it hands the current session of Claude Code to Codex, or the newest one of this folder. What
was handed over stays as it is. No model is asked; the other agent's provider gets the conversation with
the first message there.
"""


@click.command("transfer", cls=Command, help=HELP, example=EXAMPLES)
@click.option(
    "--from",
    "giver",
    default="claude",
    metavar="AGENT",
    help="Who had it: claude (the default), codex or opencode.",
)
@click.option(
    "--to",
    "taker",
    metavar="AGENT",
    help="Who goes on with it: codex (the default), claude or opencode.",
)
@click.option("--session", metavar="ID", help="Which one, by its agent's own name for it.")
@click.option(
    "--transcript",
    "--source",
    metavar="FILE",
    help="Which one of Claude Code's, by its transcript.",
)
def command(
    call: Call, *, giver: str, taker: str | None, session: str | None, transcript: str | None
) -> int:
    from sideshoot.agents.ending import end_own  # noqa: PLC0415 - not for --help

    taker = taker or ("claude" if giver == "codex" else "codex")
    if giver == taker:
        raise UsageError(f"{giver} has this conversation already; --to names who is to have it")
    try:
        handover = _handed_over(call, giver, taker, session, transcript)
    finally:
        end_own()
    if call.json:
        output.say_object(_record(call, handover))
    else:
        _show(call, handover)
    return 0


@dataclass(frozen=True, slots=True)
class _Handover:
    """What was handed over, and by whom to whom."""

    giver: str
    taker: str
    source: Source
    conversation: Conversation
    taken: Taken


def _handed_over(
    call: Call, giver: str, taker: str, session: str | None, transcript: str | None
) -> _Handover:
    from sideshoot.agents.transfer import party_named  # noqa: PLC0415 - not for --help

    gives, takes = party_named(giver), party_named(taker)
    source = _source(call, giver, gives, session, transcript)
    conversation = gives.read(source)
    taken = takes.take(conversation, source, call.folder.resolve())
    return _Handover(giver, taker, source, conversation, taken)


def _source(
    call: Call, giver: str, party: Party, session: str | None, transcript: str | None
) -> Source:
    if transcript is None:
        return party.find(session, call.folder)
    if session is not None:
        raise UsageError("--session and --transcript both name the conversation; give one of them")
    if giver != "claude":
        raise UsageError(f"--transcript names a session of Claude Code's, and not one of {giver}'s")
    from sideshoot.agents.claude.transfer import source_of  # noqa: PLC0415 - not for --help

    file = call.folder / Path(transcript).expanduser()
    if not file.is_file():
        raise UsageError(f"there is no file {show_path(file)}")
    return source_of(file)


def _show(call: Call, done: _Handover) -> None:
    for line in _notes(done):
        output.note(line)
    amount = counted(len(done.conversation.messages), "message")
    who = f"{done.source.title}'s session {done.source.session}"
    again = next_command(call, "run", "--agent", done.taker, "--thread", done.taken.thread_id)
    output.say(f"{done.taken.title} has {who}: {amount}")
    output.say(f"go on with it:  {command_in(call.folder, *done.taken.resume)}")
    output.say(f"or in a copy:   {again} TASK")


def _notes(done: _Handover) -> list[str]:
    notes = []
    if done.source.newest:
        notes.append("no session was named: this is the newest one of this folder")
    if left_out := done.conversation.left_out:
        entries = "1 older entry" if left_out == 1 else f"{left_out:,} older entries"
        notes.append(f"{entries} had no room and stayed behind")
    if done.taken.before:
        notes.append("it was handed over before, and nothing was said in it since")
    if not done.taken.shown:
        notes.append(f"{done.taken.title}'s model knows what was said; its screen does not show it")
    return notes


def _record(call: Call, done: _Handover) -> dict[str, Any]:
    return {
        "from": done.giver,
        "to": done.taker,
        "session_id": done.source.session,
        "transcript": show_path(done.source.file) if done.source.file else None,
        "thread_id": done.taken.thread_id,
        "messages": len(done.conversation.messages),
        "left_out": done.conversation.left_out,
        "shown": done.taken.shown,
        "handed_over_before": done.taken.before,
        "resume_command": command_in(call.folder, *done.taken.resume),
    }
