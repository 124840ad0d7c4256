"""The slash commands that are commands of the same name: what they print is what is shown."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from sideshoot.cli.actions import command_from_anywhere, program
from sideshoot.cli.result import finished_job
from sideshoot.errors import SideshootError, UsageError
from sideshoot.mcp.answers import Answer
from sideshoot.mcp.places import place_of
from sideshoot.plugin.telling import fenced, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.mcp.exchange import Exchange
    from sideshoot.plugin.typed import Typed

LOOKING = ("status", "result", "diff")
"""Commands that can be broken off at any point, and repeated. One that decides comes to its end."""

_COLUMNS = "78"
"""What fits into a terminal of 80 columns beside the margin of a conversation."""

LONGEST_DIFF = 20_000
"""Characters; of a longer one the sum is shown, and the command for the whole."""


def carried_out(exchange: Exchange, typed: Typed) -> Answer:
    """Run the command that was typed, and answer with what it printed.

    :raises UsageError: a quotation mark has no second one.
    """
    words = _words_of(typed)
    if typed.command == "result" and not any(word.startswith("-") for word in words[:1]):
        return _result(exchange, typed, words)
    folder = typed.folder or str(place_of(exchange, {}, only_to_look=True).call.folder)
    printed, is_done = _run(exchange, typed.command, folder, words)
    if typed.command == "diff" and is_done:
        return Answer({}, text=_diff(exchange, folder, words, printed))
    return Answer({}, text=fenced(printed or "(it printed nothing)"), failed=not is_done)


def _words_of(typed: Typed) -> list[str]:
    """The arguments of a command, quoted as in a shell; nothing is expanded.

    :raises UsageError: a quotation mark has no second one.
    """
    try:
        words = shlex.split(typed.words)
    except ValueError as error:
        raise UsageError(f"/sideshoot:{typed.command}: {str(error).lower()}") from None
    if any("\0" in word for word in words):
        raise UsageError("no argument can have a NUL character in it")
    return words


def _result(exchange: Exchange, typed: Typed, words: Sequence[str]) -> Answer:
    """What came of a job, as it is told when the job ends."""
    if len(words) > 1:
        raise UsageError("/sideshoot:result takes one job; type the command again with that")
    place = place_of(exchange, {"folder": typed.folder or None})
    return Answer(
        {}, text=told(place, finished_job(place, next(iter(words), None), exchange.session))
    )


def _diff(exchange: Exchange, folder: str, words: Sequence[str], printed: str) -> str:
    if len(printed) <= LONGEST_DIFF:
        return fenced(printed or "no changes", "diff")
    total, _ = _run(exchange, "diff", folder, ["--stat", *words])
    whole = command_from_anywhere(folder, "diff", *words)
    return f"{fenced(total)}\n\nThe patch is too long to show here. In a terminal:\n\n{fenced(whole, 'sh')}"


def _run(exchange: Exchange, name: str, folder: str, words: Sequence[str]) -> tuple[str, bool]:
    """What a command prints, and whether it ended with 0."""
    # The folder is named, so that commands which are printed work wherever they are pasted.
    argv = [*program(), name, "-C", folder, *words]
    variables = {"SIDESHOOT_SESSION": exchange.session, "COLUMNS": _COLUMNS, "NO_COLOR": "1"}
    try:
        process = subprocess.Popen(
            argv,
            cwd="/",
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise SideshootError(f"can't start {argv[0]}: {error.strerror}") from None
    with process:
        if name in LOOKING:
            exchange.on_end(process.terminate)
        printed, _ = process.communicate()
    return printed.decode(errors="replace"), process.returncode == 0
