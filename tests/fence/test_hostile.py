"""A program that wants out does not get out, by none of the ways that it knows."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import escapes
from support.estates import LIMIT_S, Estate, Listener, Way

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

HOSTILE = Path(escapes.__file__)

KNOWN_OF_LANDLOCK = {
    "change_mode",
    "change_times",
    "configure_worktree",
    "replace_git_file",
    "rewrite_commondir",
    "rewrite_git_file",
    "rewrite_gitdir",
    "delete_packs",
    "borrow_objects",
}
"""What Landlock does not hold back; `Mechanism.limits` says so."""

_VICTIM = """\
import ctypes, signal, sys
memory = ctypes.create_string_buffer(b"mine")
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
print(ctypes.addressof(memory), flush=True)
for line in sys.stdin:
    print(memory.value.decode(), len(heard), flush=True)
"""


class Victim:
    """A program of the user's that runs meanwhile."""

    def __init__(self, estate: Estate) -> None:
        options = estate.options()
        self.process = subprocess.Popen(
            [estate.way.python, "-c", _VICTIM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=estate.repo.top,
            **options,
        )
        self.address = int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return str(self.process.stdout.readline())

    def state(self) -> str:
        """What its memory holds and how many signals it got."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._line().strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Scene:
    """The estate with all that runs there beside the agent."""

    estate: Estate
    victim: Victim
    listener: Listener
    shared: Path
    terminal: int
    """The side of the user's terminal on which a program sits."""
    keyboard: int
    left_open: int
    abstract: str
    sockets: list[str]

    def facts(self, spared: Collection[str]) -> str:
        return json.dumps(
            {
                "main": str(self.estate.repo.top),
                "workspace": str(self.estate.workspace),
                "git_dir": str(self.estate.git_dir),
                "other": str(self.estate.repo.top / ".worktrees" / "other"),
                "home": str(self.estate.home),
                "sockets": self.sockets,
                "abstract": self.abstract,
                "victim": self.victim.process.pid,
                "address": self.victim.address,
                "shared": self.shared.name,
                "terminal": os.ttyname(self.terminal),
                "spared": list(spared),
            }
        )

    def attack(self, level: str = "write", spared: Collection[str] = ()) -> set[str]:
        """Let the program try; by its own account these went well."""
        command = self.estate.command(
            self.estate.way.python,
            str(HOSTILE),
            self.facts(spared),
            level=level,
            readable=[str(self.estate.repo.top), str(HOSTILE.parent)],
        )
        subprocess.run(
            ["/usr/bin/env", "setsid", "--ctty", "--wait", *command],
            stdin=self.terminal,
            stdout=subprocess.DEVNULL,
            timeout=LIMIT_S,
            pass_fds=[self.left_open],
            check=True,
            **self._with_agent(),
        )
        return set(json.loads((self.estate.workspace / "went-well.json").read_text()))

    def _with_agent(self) -> dict[str, Any]:
        options = self.estate.options()
        options["env"] = options["env"] | {"SSH_AUTH_SOCK": self.sockets[0]}
        return options

    def typed(self) -> bytes:
        """What appeared on the terminal, or was typed into it by somebody else."""
        os.set_blocking(self.keyboard, False)
        os.set_blocking(self.terminal, False)
        found = b""
        for side in (self.keyboard, self.terminal):
            with contextlib.suppress(OSError):
                found += os.read(side, 1000)
        return found


@contextlib.contextmanager
def scene_on(estate: Estate) -> Iterator[Scene]:
    keyboard, terminal = pty.openpty()
    open_file = os.open(estate.repo.top / "src" / "a.py", os.O_RDWR)
    abstract = f"sideshoot-{estate.root.name}"
    temporary = tempfile.mkdtemp(prefix="agent-")
    sockets = [f"{temporary}/agent", str(estate.home / ".ssh" / "agent.sock")]
    shared = Path("/dev/shm") / estate.root.name
    shared.write_text("mine")
    shared.chmod(0o666)
    Path(temporary).chmod(0o777)
    if estate.way.user is not None:
        os.fchown(terminal, estate.way.user, -1)
    victim, listener = Victim(estate), Listener([*sockets, "\0" + abstract])
    try:
        yield Scene(
            estate, victim, listener, shared, terminal, keyboard, open_file, abstract, sockets
        )
    finally:
        victim.close()
        listener.close()
        shared.unlink()
        for number in (keyboard, terminal, open_file):
            os.close(number)
        for path in sockets:
            Path(path).unlink()
        Path(temporary).rmdir()


@pytest.fixture
def scene(estate: Estate) -> Iterator[Scene]:
    with scene_on(estate) as found:
        yield found


def test_nothing_outside_is_changed(scene: Scene) -> None:
    landlock = scene.estate.way.mechanism == "landlock"
    before = scene.estate.outside(contents_only=landlock)
    state = scene.victim.state()

    went_well = scene.attack()

    assert went_well <= (KNOWN_OF_LANDLOCK if landlock else set())
    assert scene.estate.outside(contents_only=landlock) == before
    assert scene.victim.state() == state == "mine 0"
    assert scene.listener.heard == []
    assert scene.shared.read_text() == "mine"
    assert scene.typed() == b""


HARMS_THE_MACHINE = {"remount", "mount_over", "make_device"}
NOT_EVERYWHERE = {
    "open_by_handle",
    "remount_in_a_namespace",
    "shared_memory",
    "trace_victim",
    "memory_of_victim",
    "write_into_victim",
    "type_into_terminal",
    "change_root",
    "unmount_in_a_namespace",
    "write_devices",
    "write_settings",
}
"""What takes root, or a kernel that is less strict."""


@pytest.mark.parametrize("way", [Way("landlock")], ids=["no-fence"])
def test_without_a_fence_the_same_program_does_harm(scene: Scene) -> None:
    """Else the test above would say nothing."""
    before = scene.estate.outside()

    went_well = scene.attack("off", spared=HARMS_THE_MACHINE)

    assert set(escapes.ATTEMPTS) - HARMS_THE_MACHINE - NOT_EVERYWHERE <= went_well
    assert scene.estate.outside() != before
    assert scene.victim.state() != "mine 0"
    assert set(scene.listener.heard) == {*scene.sockets, "\0" + scene.abstract}
    assert scene.shared.read_text() == "leaked"
