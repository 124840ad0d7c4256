"""`sideshoot transfer`: hand a conversation from one agent to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.actions import command_in
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
    from sideshoot.agents.transfer import party_named  # noqa: PLC0415 - the same

    taker = taker or ("claude" if giver == "codex" else "codex")
    if giver == taker:
        raise UsageError(f"{giver} has this conversation already; --to names who is to have it")
    given, takes = party_named(giver), party_named(taker)
    try:
        source = _source(call, giver, given, session, transcript)
        conversation = given.read(source)
        taken = takes.take(conversation, source, call.folder.resolve())
    finally:
        end_own()
    if call.json:
        output.say_object(_record(call, (giver, taker), source, conversation, taken))
    else:
        _show(call, takes, source, conversation, taken)
    return 0


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


def _show(call: Call, taker: Party, source: Source, said: Conversation, taken: Taken) -> None:
    for line in _notes(taker, source, said, taken):
        output.note(line)
    amount = counted(len(said.messages), "message")
    output.say(f"{taker.title} has session {source.session} of {source.title}: {amount}")
    output.say(f"go on with it: {command_in(call.folder, *taken.resume)}")


def _notes(taker: Party, source: Source, said: Conversation, taken: Taken) -> list[str]:
    notes = []
    if source.newest:
        notes.append("no session was named: this is the newest one of this folder")
    if said.left_out:
        left_out = counted(said.left_out, "older entry").replace("entrys", "entries")
        notes.append(f"{left_out} had no room and stayed behind")
    if taken.before:
        notes.append("it was handed over before, and nothing was said in it since")
    if not taken.shown:
        notes.append(f"{taker.title}'s model knows what was said; its screen does not show it")
    return notes


def _record(
    call: Call, names: tuple[str, str], source: Source, said: Conversation, taken: Taken
) -> dict[str, Any]:
    return {
        "from": names[0],
        "to": names[1],
        "session_id": source.session,
        "transcript": show_path(source.file) if source.file else None,
        "thread_id": taken.thread_id,
        "messages": len(said.messages),
        "left_out": said.left_out,
        "shown": taken.shown,
        "handed_over_before": taken.before,
        "resume_command": command_in(call.folder, *taken.resume),
    }
