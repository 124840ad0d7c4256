"""How a command that did not succeed says so."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from sideshoot.cli import output
from sideshoot.errors import SideshootError
from sideshoot.text import show_path

if TYPE_CHECKING:
    import click


FAULT = "a fault of Sideshoot's own"
"""How the error of a job begins that a defect of ours has ended."""


class Interrupted(SideshootError):
    """The user pressed Ctrl-C."""

    exit_status = 130


class WaitedTooLong(SideshootError):
    """The time that a command was given to wait has passed; the jobs go on."""

    exit_status = 124


_OF_THE_MACHINE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE,
    errno.EIO,
}  # fmt: skip


def machine_failure(error: OSError) -> SideshootError | None:
    """What to say of an error that no code can prevent: no permission, a full disk."""
    if error.errno not in _OF_THE_MACHINE:
        return None
    where = f": {show_path(error.filename)}" if error.filename else ""
    return SideshootError(f"{error.strerror}{where}; nothing was lost, mend it and run this again")


class Fault(SideshootError):
    """A defect of Sideshoot's own; `report` is the file that describes it."""

    exit_status = 70

    def __init__(self, message: str, report: str | None) -> None:
        super().__init__(message)
        self.report = report


def show_failure(error: SideshootError, *, as_json: bool) -> int:
    """Print an error, as one line or as the one object of `--json`, and return its exit status."""
    if as_json:
        output.say_object({"error": failure_fields(error)})
    else:
        output.note(f"sideshoot: {' '.join(str(error).splitlines())}")
    return error.exit_status


def failure_fields(error: SideshootError) -> dict[str, Any]:
    """An error for `--json`: its class, its words, its exit status, and the facts that it has."""
    fields: dict[str, Any] = {
        "type": type(error).__name__,
        "message": str(error),
        "exit_status": error.exit_status,
    }
    for name in ("candidates", "keys", "reference", "report"):
        if value := getattr(error, name, None):
            fields[name] = value
    if paths := getattr(error, "paths", None):
        fields["paths"] = [show_path(path) for path in paths]
    return fields


def usage_line(error: click.ClickException) -> str:
    """What click has against a command line, in one line that says where help is."""
    text = " ".join(error.format_message().split()).rstrip(".")
    text = text.replace(". (Did you mean", " (did you mean", 1)  # where it knows several
    if ". Did you mean" in text:
        text = text.replace(". Did you mean", " (did you mean", 1) + ")"
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "sideshoot"
    return f"{text[:1].lower()}{text[1:]}; see `{path} --help`"
