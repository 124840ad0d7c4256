"""A repository with two workspaces and a home, and ways to start fenced programs there."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sideshoot
from sideshoot.fence import kernel
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVER = Path(__file__).with_name("fenced.py")
SOURCES = Path(sideshoot.__file__).parent.parent
NOBODY = 65534
LIMIT_S = 100


@dataclass(frozen=True)
class Way:
    """A mechanism, and the user who puts it up."""

    mechanism: str
    user: int | None = None

    @property
    def program(self) -> str:
        return shutil.which("bwrap") or "/usr/bin/bwrap"

    @property
    def python(self) -> str:
        """An interpreter that this user can start."""
        return sys.executable if self.user is None else python_for(self.user) or sys.executable


@dataclass
class Estate:
    """All that there is; the workspace and what git writes to is the agent's."""

    root: Path
    repo: Repo
    way: Way

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temp(self) -> Path:
        return self.root / "job" / "tmp"

    @property
    def common(self) -> Path:
        return self.repo.top / ".git"

    @property
    def workspace(self) -> Path:
        return self.repo.top / ".worktrees" / "k3f9"

    @property
    def git_dir(self) -> Path:
        return self.common / "worktrees" / "k3f9"

    @property
    def writable(self) -> list[Path]:
        branches = Path("refs/heads/sideshoot/k3f9")
        return [
            self.workspace,
            self.git_dir,
            self.common / "objects",
            self.common / branches,
            self.common / "logs" / branches,
        ]

    @property
    def read_only(self) -> list[Path]:
        return [
            self.workspace / ".git",
            *(self.git_dir / name for name in ("commondir", "gitdir", "config.worktree")),
            self.common / "objects" / "pack",
            self.common / "objects" / "info",
        ]

    def command(self, *argv: str, cwd: Path | None = None, **other: Any) -> list[str]:
        """What starts a program in the fence."""
        told = {
            "level": "write",
            "writable": [str(place) for place in self.writable],
            "read_only": [str(place) for place in self.read_only],
            "readable": [str(self.repo.top)],
            "temp": str(self.temp),
            "mechanism": self.way.mechanism,
            "program": self.way.program,
            "cwd": str(cwd or self.workspace),
            "argv": argv,
        }
        return [self.way.python, str(DRIVER), json.dumps(told | other)]

    def options(self) -> dict[str, Any]:
        """How whoever puts the fence up is started."""
        options: dict[str, Any] = {"env": self.environment}
        if self.way.user is not None:
            options |= {"user": self.way.user, "group": self.way.user, "extra_groups": []}
        return options

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("XDG_")
        }
        return inherited | {
            "HOME": str(self.home),
            "PYTHONPATH": str(SOURCES),
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
        }

    def run(self, *argv: str, **other: Any) -> subprocess.CompletedProcess[str]:
        """Run a program in the fence; what it prints is text."""
        return subprocess.run(
            self.command(*argv, **other),
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
            **self.options(),
        )

    def give_away(self) -> None:
        """Everything belongs to whoever puts the fence up."""
        if self.way.user is not None:
            for place in [self.root, *self.root.rglob("*")]:
                os.chown(place, self.way.user, self.way.user, follow_symlinks=False)

    def outside(self, *, contents_only: bool = False) -> dict[str, object]:
        """Everything that the agent has not been given."""
        given = {str(place) for place in [*self.writable, self.temp]}
        return dict(_look(self.root, given, contents_only=contents_only))


def _look(folder: Path, given: set[str], *, contents_only: bool) -> Iterator[tuple[str, object]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.path in given:
            continue
        facts = entry.stat(follow_symlinks=False)
        content: object = None
        if stat.S_ISREG(facts.st_mode):
            content = hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
        elif stat.S_ISLNK(facts.st_mode):
            content = str(Path(entry.path).readlink())
        if contents_only:
            yield entry.path, (stat.S_IFMT(facts.st_mode), content)
        else:
            times = (facts.st_mtime_ns, facts.st_ctime_ns)
            yield entry.path, (facts.st_mode, facts.st_uid, facts.st_nlink, *times, content)
        if stat.S_ISDIR(facts.st_mode):
            yield from _look(Path(entry.path), given, contents_only=contents_only)


def missing(reason: str) -> None:
    """There is no way to test this here; where everything has to be tested, that is a failure."""
    if os.environ.get("SIDESHOOT_REQUIRE_AGENTS"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def check_way(way: Way) -> None:
    """Skip the test where this way can't work, and say why."""
    if sys.platform != "linux":
        pytest.skip("there is a fence on Linux only")
    if way.mechanism == "bubblewrap" and shutil.which("bwrap") is None:
        missing("bubblewrap is not installed; on Debian: apt-get install bubblewrap")
    if way.user is not None and os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    if way.user is not None and python_for(way.user) is None:
        pytest.skip("the package or Python lies where an ordinary user can't read it")
    if way.mechanism == "landlock" and kernel.landlock_abi() < kernel.MINIMUM_ABI:
        pytest.skip("this kernel has no Landlock that would do")
    if way.mechanism == "bubblewrap" and (reason := why_not(way)):
        pytest.skip(reason)


@functools.cache
def why_not(way: Way) -> str:
    """What this machine has against bubblewrap, whoever calls it: a container without namespaces."""
    words = ("--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "--proc", "/proc", "true")
    said = ""
    for more in ((), ("--unshare-user",)):
        options = Estate(Path("/"), Repo(Path("/")), way).options()
        done = subprocess.run([way.program, *more, *words], capture_output=True, **options)
        if done.returncode == 0:
            return ""
        said = said or done.stderr.decode(errors="replace").strip()
    return said


@functools.cache
def python_for(user: int) -> str | None:
    """Root's own Python is often out of reach for others; the system's may serve."""
    ask = "import sys, sideshoot; sys.exit(sys.version_info < (3, 11))"
    for program in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            asked = subprocess.run(
                [program, "-c", ask],
                user=user,
                group=user,
                extra_groups=[],
                env={"PYTHONPATH": str(SOURCES)},
                cwd="/",
                capture_output=True,
            )
            if asked.returncode == 0:
                return program
    return None


def make_estate(root: Path, way: Way) -> Estate:
    repo = Repo.create(
        root / "my garden\n\udce9",
        {"app.py": "print('app')\n", "README.md": "# Garden\n", "docs.txt": "d\n", "src/a.py": ""},
    )
    repo.commit("second")
    repo.git("gc", "-q")
    estate = Estate(root, repo, way)
    for name in ("k3f9", "other"):
        folder = str(repo.top / ".worktrees" / name)
        repo.git("worktree", "add", "-q", "-b", f"sideshoot/{name}/work", folder)
    for place in (*estate.writable, estate.temp, estate.home / ".ssh", estate.common / "hooks"):
        place.mkdir(parents=True, exist_ok=True)
    job = estate.common / "sideshoot" / "jobs" / "k3f9"
    job.mkdir(parents=True)
    (job / "events.jsonl").write_text("{}\n")
    (job.parent.parent / "jobs.db").write_text("records")
    (estate.home / ".profile").write_text("# mine\n")
    (estate.home / ".ssh" / "id").write_text("secret\n")
    shutil.copy(os.environ["GIT_CONFIG_GLOBAL"], estate.home / ".gitconfig")
    estate.give_away()
    return estate


class Listener:
    """Sockets of the owner's, and what was heard on them."""

    def __init__(self, addresses: list[str]) -> None:
        self.heard: list[str] = []
        self._sockets = [self._listen(address) for address in addresses]

    def _listen(self, address: str) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.bind(address)
        if not address.startswith("\0"):
            Path(address).chmod(0o777)
        made.listen()
        threading.Thread(target=self._serve, args=(made, address), daemon=True).start()
        return made

    def _serve(self, made: socket.socket, address: str) -> None:
        while True:
            try:
                peer, _ = made.accept()
            except OSError:
                return
            self.heard.append(address)
            peer.close()

    def close(self) -> None:
        for made in self._sockets:
            # Closed alone, it would go on to listen for as long as a thread waits on it.
            made.shutdown(socket.SHUT_RDWR)
            made.close()
