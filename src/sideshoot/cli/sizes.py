"""How much jobs hold on the disk, in words and as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sideshoot.cli.durations import show_age

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.place import Place
    from sideshoot.jobs.held import Held
    from sideshoot.model import Job

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def show_size(size: float) -> str:
    """`812 bytes`, `3.4 MB`."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def show_held(held: Held) -> str:
    """`12 MB in the workspace, 34 kB in the store (counted 3m ago)`."""
    parts = [f"{show_size(held.store)} in the store"]
    if held.workspace or held.shared:
        parts.insert(0, f"{show_size(held.workspace)} in the workspace")
    if held.shared:
        parts.append(f"not counting {show_size(held.shared)} shared with other files")
    more = "" if held.whole else "more than "
    return f"{more}{', '.join(parts)} (counted {show_age(time.time() - held.counted_at)})"


def held_record(held: Held | None) -> dict[str, Any]:
    """The same for programs; nothing is known of a job that was not counted yet."""
    return {
        "workspace_bytes": held.workspace if held else None,
        "shared_bytes": held.shared if held else None,
        "store_bytes": held.store if held else None,
        "counted_at": held.counted_at if held else None,
    }


def over_budget(place: Place) -> list[str]:
    """What to say where all jobs together take more than they should, by what was noted of each."""
    from sideshoot.jobs.store import HELD  # noqa: PLC0415 - not for `run --help`

    held = int(place.store.setting(HELD) or 0)
    if not held:
        return []
    budget = place.config(lenient=True).value("gc.max_size_mb")
    if held <= budget * 1024**2:
        return []
    taken = f"the jobs take {held / 1024**2:.0f} MB, more than the {budget:.0f} of gc.max_size_mb"
    return [f"{taken}; `sideshoot gc --dry-run` shows what could go"]


def count(place: Place, jobs: Sequence[Job]) -> dict[str, Held]:
    """Count anew what these jobs hold, by their ids, and note it."""
    from sideshoot.jobs.gc import count_jobs  # noqa: PLC0415 - only where it was asked for

    return count_jobs(place.repository, place.store, jobs)
