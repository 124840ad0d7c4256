"""`sideshoot gc`: what is held on disk, and what goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import table, terminal_columns
from sideshoot.cli.command import Command
from sideshoot.cli.place import open_place
from sideshoot.cli.sizes import show_size
from sideshoot.git import discover
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.command import Call
    from sideshoot.jobs.gc import Item

EXAMPLES = """\
sideshoot gc --dry-run
sideshoot gc"""

HELP = """Show what is held on disk, and remove what is due.

Decided jobs go after 14 days, or earlier once all jobs together take more than 5 GB. Nothing goes
that is running, that waits for a decision, or whose only copy it is.
"""

HEADINGS = ("JOB", "WORKSPACE", "STORE", "", "WHY")


@click.command("gc", cls=Command, help=HELP, example=EXAMPLES)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@click.option("--rebuild", is_flag=True, help="Make damaged records anew, from refs and folders.")
def command(call: Call, *, dry_run: bool, rebuild: bool) -> int:
    from sideshoot.jobs import gc  # noqa: PLC0415 - not for --help

    if rebuild:
        return _rebuild(call)
    place = open_place(call)
    # What a broken file says of how long jobs are held can't be known: then nothing is removed.
    config = place.config(lenient=dry_run)
    is_used = gc.is_anything_held(place.repository, place.jobs())
    held = gc.plan(place.repository, place.store, config) if is_used else []
    removed = [] if dry_run else gc.collect(place.repository, place.store, held)
    if is_used:
        gc.note_held(place.store, [item for item in held if item not in removed])
    if call.json:
        output.say_object(_record(held, removed, dry_run=dry_run))
    else:
        _show(held, removed, dry_run=dry_run)
        _show_limits(held, config.value("gc.max_size_mb") * 1024**2)
    return 0


def _rebuild(call: Call) -> int:
    from sideshoot.jobs.rebuild import rebuild  # noqa: PLC0415 - rare

    notes = rebuild(discover(call.folder))
    if call.json:
        output.say_object({"rebuilt": notes})
    else:
        output.say("\n".join(notes) or "the records are in order")
    return 0


def _show(held: Sequence[Item], removed: Sequence[Item], *, dry_run: bool) -> None:
    rows = [_cells(item, item in removed, dry_run=dry_run) for item in held]
    for line in table([HEADINGS, *rows], columns=terminal_columns()) if rows else ():
        output.say(line)
    gone = [item for item in held if item.goes] if dry_run else removed
    sizes = [sum(item.size_bytes for item in items) for items in (held, gone)]
    verb = "would go" if dry_run else "went"
    output.say(f"{show_size(sizes[0])} held, of which {show_size(sizes[1])} {verb}")


def _show_limits(held: Sequence[Item], budget: float) -> None:
    shared = sum(item.held.shared for item in held)
    if shared:
        output.say(f"not counted: {show_size(shared)} that workspaces share with other files")
    if budget < math.inf:
        output.say(f"all jobs together may take {show_size(budget)} (gc.max_size_mb)")


def _cells(item: Item, went: bool, *, dry_run: bool) -> tuple[str, ...]:
    fate = ("would go" if dry_run else "gone" if went else "stays") if item.goes else ""
    parts = [show_size(size) if size else "-" for size in (item.held.workspace, item.held.store)]
    return (item.job_id or item.kind, *parts, fate, item.why)


def _record(held: Sequence[Item], removed: Sequence[Item], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "held_bytes": sum(item.size_bytes for item in held),
        "removed_bytes": sum(item.size_bytes for item in removed),
        "shared_bytes": sum(item.held.shared for item in held),
        "items": [
            {
                "kind": item.kind,
                "job_id": item.job_id,
                "path": show_path(item.path),
                "size_bytes": item.size_bytes,
                "workspace_bytes": item.held.workspace,
                "store_bytes": item.held.store,
                "shared_bytes": item.held.shared,
                "why": item.why,
                "goes": item.goes,
                "removed": item in removed,
            }
            for item in held
        ],
    }
