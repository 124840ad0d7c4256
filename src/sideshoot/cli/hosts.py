"""`sideshoot setup --install` and `--uninstall`: what is changed for a host, shown before it is done."""

from __future__ import annotations

import os
import shlex
import sys
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.errors import CannotStart, SideshootError, UsageError
from sideshoot.hosts.registry import HOSTS
from sideshoot.text import path_fields, printable, show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sideshoot.cli.command import Call
    from sideshoot.hosts.plan import Change, Plan


def change_hosts(call: Call, *, install: Sequence[str], uninstall: Sequence[str], yes: bool) -> int:
    """Show what will be changed, ask whether it shall be, and change it.

    :raises UsageError: a host is to be both.
    :raises CannotStart: it can't be done, or the user does not want it; nothing was changed.
    """
    make = _makers(install, uninstall)
    plans = [plan() for plan in make]
    due = [plan for plan in plans if plan.act is not None]
    if not call.json:
        for plan in plans:
            _show(plan)
    agreed = yes or not due or _agreed(call)
    if agreed:
        _act(make, plans)
    if call.json:
        output.say_object({"hosts": [_record(plan, done=agreed) for plan in plans]})
    elif agreed:
        _tell(due)
    if not agreed:
        output.note("sideshoot: nothing was changed; with --yes it is")
        return CannotStart.exit_status
    return 0


def host_records() -> list[dict[str, Any]]:
    """Which hosts can call Sideshoot, as their own settings have it."""
    return [_host_record(name) for name in HOSTS]


def _host_record(name: str) -> dict[str, Any]:
    try:
        return {"name": name, "installed": HOSTS[name]().is_installed(), "detail": None}
    except SideshootError as error:
        return {"name": name, "installed": None, "detail": str(error)}


def _makers(install: Sequence[str], uninstall: Sequence[str]) -> list[Callable[[], Plan]]:
    for name in install:
        if name in uninstall:
            raise UsageError(f"--install {name} and --uninstall {name} contradict each other")
    # What was put into a file last is taken out first, so that each finds the text that it left.
    leaving = sorted({*uninstall}, key=[*HOSTS].index, reverse=True)
    coming = sorted({*install}, key=[*HOSTS].index)
    makers = [HOSTS[name]().uninstall for name in leaving]
    return makers + [HOSTS[name]().install for name in coming]


def _agreed(call: Call) -> bool:
    if call.json or not (output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)):
        return False
    if not click.confirm("Do this?", err=True):
        raise CannotStart("nothing was changed")
    return True


def _act(make: Sequence[Callable[[], Plan]], plans: Sequence[Plan]) -> None:
    """Do what was shown; anew is only looked at a file that this very call has changed by then."""
    done: list[Plan] = []
    for plan_it, shown in zip(make, plans, strict=True):
        try:
            plan = plan_it() if _files([shown]) & _files(done) else shown
            if plan.act is not None:
                plan.act()
                done.append(plan)
        except CannotStart as error:
            if not done:
                raise
            names = ", ".join(plan.host for plan in done)
            raise CannotStart(f"{error}; {names} had been done by then") from None


def _files(plans: Sequence[Plan]) -> set[Path]:
    return {change.file for plan in plans for change in plan.changes}


def _show(plan: Plan) -> None:
    """What will be done for one host."""
    if plan.act is None:
        output.say(printable(plan.summary))
        return
    output.note(output.styled(printable(plan.summary), "bold", sys.stderr))
    if plan.folder is not None:
        output.note(f"  folder {show_path(plan.folder)}")
    for words in plan.commands:
        output.note(f"  run {printable(shlex.join(words))}")
    for change in plan.changes:
        _show_change(change)


def _show_change(change: Change) -> None:
    output.note(f"  file {show_path(change.file)}{_fate(change)}")
    for line in _diff(change):
        colour = "green" if line.startswith("+") else "red"
        output.note(f"    {output.styled(printable(line), colour, sys.stderr)}")


def _fate(change: Change) -> str:
    if change.before is None:
        return " (new)"
    return " (goes)" if change.after is None else ""


def _diff(change: Change) -> list[str]:
    """The lines that come and go. None that stay: those of others may be secrets."""
    before, after = ((text or "").splitlines() for text in (change.before, change.after))
    lines = list(unified_diff(before, after, n=0, lineterm=""))
    return [line for line in lines[2:] if not line.startswith("@@")]


def _tell(due: Sequence[Plan]) -> None:
    for plan in due:
        output.say(f"done: {printable(plan.summary)}")
        if plan.note:
            output.note(f"  {plan.note}")


def _record(plan: Plan, *, done: bool) -> dict[str, Any]:
    return {
        "host": plan.host,
        "summary": plan.summary,
        "changes": plan.act is not None,
        "done": done and plan.act is not None,
        "folder": str(plan.folder) if plan.folder else None,
        "commands": [shlex.join(words) for words in plan.commands],
        "files": [{**path_fields(os.fsencode(it.file)), "lines": _diff(it)} for it in plan.changes],
        "note": plan.note or None,
    }
