"""The command line of bubblewrap (bwrap(1)) that puts a fence up.

Everything is mounted read-only, then what may be written is mounted over it, then what may not.
The order of the options is the order of the mounts.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart
from sideshoot.fence.model import Level
from sideshoot.fence.places import (
    OWN,
    folders_of_sockets,
    is_own,
    kept_places,
    needed_places,
)
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sideshoot.fence.model import Fence

TEMP = Path("/tmp")
"""Where a program's own folder for temporary files is, seen from inside."""

_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")

AS_ROOT = (
    *("--cap-drop", "ALL"),
    *("--cap-add", "CAP_CHOWN"),
    *("--cap-add", "CAP_DAC_OVERRIDE"),
    *("--cap-add", "CAP_FOWNER"),
    *("--cap-add", "CAP_FSETID"),
    *("--cap-add", "CAP_SETFCAP"),
)
"""By default root keeps all its rights in there, that to mount everything anew among them. It keeps
those by which it works on files of other people, as root is used to, and the one without which no
sandbox of the program's own could be put up by root (user_namespaces(7), since Linux 5.12)."""

IN_USER_NAMESPACE = ("--unshare-user",)
"""For whoever has no right to mount, root in a container for instance. Others than root get one
without asking."""

# Settings of the machine that are root's to write. Bubblewrap covers some by itself, but /proc/sys only
# if the folder is writable, which it never is, unlike the files in it.
_SETTINGS = ("acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "scsi", "sys", "sysrq-trigger")

_LAUNCH = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))


def bubblewrap_argv(
    program: str,
    options: tuple[str, ...],
    fence: Fence,
    cwd: Path,
    environment: Mapping[str, str],
) -> list[str]:
    """What comes before the program's own arguments.

    :raises CannotStart: a place of the fence is not what it should be.
    """
    writable = [_resolved(place) for place in fence.writable]
    seen = _seen({*fence.readable, *kept_places(), *needed_places(environment)})
    shown = sorted({str(place) for place in (*seen, *writable)})
    argv = [*_LAUNCH, *shown, "--", program, "--die-with-parent", *_NAMESPACES, *options]
    if fence.level is Level.OFFLINE:
        argv.append("--unshare-net")
    argv += _mounts(fence, seen, writable)
    for folder in folders_of_sockets(environment):
        if folder.is_dir():
            argv += ["--tmpfs", str(folder.resolve())]
    return [*argv, "--", "--chdir", str(cwd.resolve()), "--"]


def _mounts(fence: Fence, seen: Mapping[Path, Path], writable: list[Path]) -> Iterator[str]:
    yield from ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
    for name in _SETTINGS:
        yield from ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")
    yield from ("--tmpfs", "/run")
    yield from ("--tmpfs", str(TEMP)) if fence.temp is None else _mount(fence.temp, TEMP)
    yield from _seen_and_written(seen, writable)
    for place in fence.read_only:
        held = _held(place, writable)
        yield from ("--ro-bind", str(held), str(held))


def _seen(wanted: Iterable[Path]) -> dict[Path, Path]:
    """What has to be put back in the places that a program gets its own of, by where it shall be."""
    found: dict[Path, Path] = {}
    for place in wanted:
        target = place.resolve()
        found |= {name: target for name in (place, target) if is_own(name) and name not in OWN}
    return found


def _seen_and_written(seen: Mapping[Path, Path], writable: Iterable[Path]) -> Iterator[str]:
    """From the outside in, since a mount covers what was mounted below it before."""
    writes = dict.fromkeys(writable)
    for place in sorted({*seen, *writes}, key=lambda place: len(place.parts)):
        if place in writes:
            yield from _mount(place, place)
        elif writes.keys().isdisjoint(place.parents):
            yield from ("--ro-bind-try", str(seen[place]), str(place))


def _mount(place: Path, at: Path) -> tuple[str, str, str]:
    return "--bind", str(_resolved(place)), str(at)


def _resolved(place: Path) -> Path:
    try:
        return place.resolve(strict=True)
    except (OSError, RuntimeError):
        raise CannotStart(
            f"the fence can't be put up: {show_path(place)} is not there; nothing was started"
        ) from None


def _held(place: Path, writable: Iterable[Path]) -> Path:
    """A file that may not be written, as it lies in a folder that may.

    :raises CannotStart: it lies deeper, where a program can move the folder around it away; or it
        is a link.
    """
    held = place.parent.resolve() / place.name
    if held.parent not in set(writable):
        raise CannotStart(
            f"{show_path(place)} can't be kept from being written: it does not lie directly in a "
            "folder that may be; nothing was started"
        )
    _make_if_missing(held)
    if not (stat.S_ISREG(held.lstat().st_mode) or stat.S_ISDIR(held.lstat().st_mode)):
        raise CannotStart(
            f"{show_path(place)} was replaced by something that is not a file; nothing was started"
        )
    return held


def _make_if_missing(place: Path) -> None:
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        return
