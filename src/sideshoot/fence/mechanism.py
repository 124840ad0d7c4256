"""How a fence can be put up on this machine: tried, not guessed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CannotStart
from sideshoot.fence import kernel
from sideshoot.fence.bubblewrap import AS_ROOT, IN_USER_NAMESPACE, bubblewrap_argv
from sideshoot.fence.landlock import ENTER, landlock_argv
from sideshoot.fence.model import Fence, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TRIAL_LIMIT_S = 20.0
_SYSTEM = "/usr/bin/bwrap"
_BUNDLED = "vendor/*/codex-resources/bwrap"


class Kind(StrEnum):
    """What holds a program back."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A way to put a fence up that works here."""

    kind: Kind
    program: str = ""
    """Bubblewrap's."""
    options: tuple[str, ...] = ()
    """What bubblewrap needs to work here."""
    why: str = ""
    """Why it is nothing better, in one line without a period."""
    remedy: str = ""
    """What would mend that."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What it does not hold back, for whoever has to rely on it; one line each."""
        return _LIMITS[self.kind]

    def require(self, level: Level) -> None:
        """:raises CannotStart: a fence of this level can't be put up here; the line says why."""
        if level is Level.OFF or self.kind is Kind.BUBBLEWRAP:
            return
        if self.kind is Kind.LANDLOCK and level is Level.WRITE:
            return
        asked = f"--sandbox {level} is not possible here: {self.why}"
        if self.kind is Kind.LANDLOCK:
            asked += ", and Landlock alone can't close the network"
        less = " or write" if self.kind is Kind.LANDLOCK else ""
        raise CannotStart(f"{asked}; {self.remedy}, or choose --sandbox off{less}")


_LIMITS = {
    Kind.BUBBLEWRAP: (),
    Kind.LANDLOCK: (
        "modes, owners and times of any of the user's files can be changed, contents can't",
        "the workspace's .git file and the links in its git directory can be changed",
        "packs of the repository's object store can be deleted",
        "the network can't be closed",
        "what a program started can outlive it until it is found and ended",
    ),
    Kind.NONE: ("nothing is held back",),
}


def find_mechanism(cache: Path | None = None) -> Mechanism:
    """The best way that works here: bubblewrap, else Landlock, else none and why.

    :param cache: a folder out of a program's reach in which is noted what was found to work, for
        as long as the machine runs, so that it is not tried anew each time (about 40 ms).
    """
    programs = list(_bubblewraps())
    key = _key(programs)
    if (known := _noted(cache, key)) is not None:
        return known
    found = _try_all(programs)
    if found.kind is Kind.BUBBLEWRAP:
        # Anything less may be mended at any time.
        _note(cache, key, found)
    return found


def _try_all(programs: Iterable[Path]) -> Mechanism:
    if sys.platform != "linux":
        return Mechanism(
            Kind.NONE,
            why="there is a fence on Linux only",
            remedy="use Linux, a container for instance",
        )
    said = ""
    for program in programs:
        found, reason = try_bubblewrap(program)
        if found is not None:
            return found
        said = said or reason
    why, remedy = _why_no_bubblewrap(said)
    return try_landlock(why, remedy)


def try_bubblewrap(program: Path) -> tuple[Mechanism | None, str]:
    """Whether this bubblewrap works here, in which way, and if not, what it says."""
    said = ""
    for options in _ways():
        trial = bubblewrap_argv(str(program), options, Fence(Level.OFFLINE), Path("/"), {})
        works, reason = _works([*trial, *ENTER, "bubblewrap", "--"])
        if works:
            return Mechanism(Kind.BUBBLEWRAP, str(program), options), ""
        said = said or reason
    return None, said


def try_landlock(why: str = "", remedy: str = "") -> Mechanism:
    """Landlock if it works here; `why` and `remedy` say what is the matter with the better ones."""
    abi = kernel.landlock_abi()
    if abi < kernel.MINIMUM_ABI:
        return Mechanism(
            Kind.NONE, why=f"{why}, and this kernel has no Landlock that would do", remedy=remedy
        )
    if not kernel.filters_calls():
        return Mechanism(
            Kind.NONE, why=f"{why}, and Landlock is not used on this kind of machine", remedy=remedy
        )
    with tempfile.TemporaryDirectory() as folder:
        works, reason = _works(landlock_argv(Fence(Level.WRITE, temp=Path(folder))))
    if not works:
        return Mechanism(
            Kind.NONE, why=f"{why}, and Landlock does not work: {reason}", remedy=remedy
        )
    return Mechanism(Kind.LANDLOCK, why=why, remedy=remedy)


def _ways() -> tuple[tuple[str, ...], ...]:
    return (AS_ROOT, IN_USER_NAMESPACE) if os.geteuid() == 0 else ((),)


def _works(fenced: list[str]) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            [*fenced, "/bin/sh", "-c", ":"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            timeout=_TRIAL_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    lines = done.stderr.decode(errors="replace").split("\n")
    return done.returncode == 0, lines[0].removeprefix("bwrap: ")


def _why_no_bubblewrap(said: str) -> tuple[str, str]:
    if not said:
        return "bubblewrap is not installed", "install it (`apt-get install bubblewrap`)"
    if any(word in said for word in ("namespace", "uid map", "Permission", "not permitted")):
        return (
            f"bubblewrap is not allowed to work ({said})",
            (
                "allow user namespaces (in a container: its security profile; on Ubuntu: "
                "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`)"
            ),
        )
    return f"bubblewrap does not work ({said})", "mend or update bubblewrap"


# -- where bubblewrap is


def _bubblewraps() -> Iterator[Path]:
    """The machine's own, and the one that comes with Codex."""
    seen = set()
    for name in (_SYSTEM, "bwrap", *_bundled_with_codex()):
        if (found := shutil.which(name)) and (program := Path(found).resolve()) not in seen:
            seen.add(program)
            yield program


def _bundled_with_codex() -> Iterator[str]:
    codex = shutil.which("codex")
    if codex is None:
        return
    # npm: @openai/codex/bin/codex.js, the programs in @openai/codex-linux-x64 beside or below it.
    for folder in Path(codex).resolve().parents[1:4]:
        for pattern in (
            _BUNDLED,
            f"codex-linux-*/{_BUNDLED}",
            f"node_modules/@openai/codex-linux-*/{_BUNDLED}",
        ):
            yield from (str(path) for path in folder.glob(pattern))


# -- what was found before


def _key(programs: Iterable[Path]) -> list[Any]:
    """What has to be the same for a way that worked to work again."""
    facts = [(str(program), program.stat().st_mtime_ns) for program in programs]
    spaces = [_link(f"/proc/self/ns/{name}") for name in ("user", "mnt", "pid")]
    return [_boot_id(), os.geteuid(), *spaces, [list(fact) for fact in facts], list(ENTER)]


def _noted(cache: Path | None, key: list[Any]) -> Mechanism | None:
    if cache is None:
        return None
    try:
        noted = json.loads((cache / "fence.json").read_bytes())
        if noted["key"] != key:
            return None
        facts = noted["mechanism"]
        return Mechanism(Kind(facts["kind"]), str(facts["program"]), tuple(facts["options"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(cache: Path | None, key: list[Any], mechanism: Mechanism) -> None:
    if cache is None:
        return
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache, delete=False) as file:
            json.dump({"key": key, "mechanism": asdict(mechanism)}, file)
        Path(file.name).replace(cache / "fence.json")
    except OSError:
        return  # It is only tried again.


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
