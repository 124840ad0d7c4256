"""`sideshoot mcp`: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli.command import Command
from sideshoot.errors import NotARepository

if TYPE_CHECKING:
    from sideshoot.cli.command import Call

EXAMPLES = """\
sideshoot mcp
claude mcp add sideshoot -- sideshoot mcp
codex mcp add sideshoot -- sideshoot mcp"""

HELP = """Serve the Model Context Protocol (MCP), for agents and editors that call tools.

They get run, review, wait, status, logs, result, diff, keep, undo, discard and cancel. The server talks over
standard input and output, and ends when its client closes them; jobs go on without it.
"""


class _Leave(Exception):
    """The client's way of ending us: SIGTERM, or Ctrl-C in its terminal."""


@click.command("mcp", cls=Command, help=HELP, example=EXAMPLES)
@click.option(
    "--slash-commands", is_flag=True, help="Also carry out what users type; for our plugins."
)
def command(call: Call, *, slash_commands: bool) -> int:
    from sideshoot.mcp.catalogue import SLASH_COMMAND, TOOLS  # noqa: PLC0415 - not for --help
    from sideshoot.mcp.server import Server  # noqa: PLC0415 - not for --help
    from sideshoot.mcp.wire import taken_over  # noqa: PLC0415 - not for --help

    try:
        os.chdir(call.folder)
    except OSError as error:
        raise NotARepository(f"can't serve in {call.folder}: {error.strerror}") from None
    with suppress(_Leave):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _leave)
        tools = TOOLS | ({SLASH_COMMAND.name: SLASH_COMMAND} if slash_commands else {})
        Server(taken_over(), tools).serve()
    return 0


def _leave(*_: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # we are on our way
    raise _Leave
