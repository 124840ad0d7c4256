"""Run git: a clean environment, bytes in and out, every exit status checked.

Nothing else in the package starts git. The settings here make git's answers independent of the
user's configuration where that configuration is about display, and keep git from running any
program that a file of an agent's workspace could name: hooks, fsmonitor programs, pagers, prompts,
and the repositories that lie inside.
"""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sideshoot.errors import GitError, GitUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

MINIMUM_VERSION = (2, 38)
"""`merge-tree --write-tree`, by which results come back, is as old as this."""

TIME_LIMIT_S = 600.0
"""No git call of ours lasts longer, unless it says so itself."""

# A test, or a user with unusual places, may say where the configuration lies; everything else that
# begins with GIT_ would aim our calls at another repository, index or configuration.
_INHERITED = frozenset(
    {
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_LFS_SKIP_SMUDGE",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
    }
)

_SETTINGS = {
    "advice.addEmbeddedRepo": "false",
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.splitIndex": "false",
    "core.untrackedCache": "keep",
    "diff.ignoreSubmodules": "all",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "tag.gpgSign": "false",
}
if os.name == "posix" and os.uname().sysname == "Linux":
    # Names such as `git~1` are dangerous on other systems only; an agent may well have made one.
    _SETTINGS |= {"core.protectNTFS": "false", "core.protectHFS": "false"}


@dataclass(frozen=True, slots=True)
class Output:
    """What a git command said."""

    stdout: bytes
    stderr: bytes
    status: int

    @property
    def text(self) -> str:
        """Standard output as text, without its line end; for ids and words, never for paths."""
        return self.stdout.decode(errors="replace").rstrip("\n")

    @property
    def lines(self) -> list[bytes]:
        """The NUL-ended fields of a `-z` answer."""
        return self.stdout.split(b"\0")[:-1]


def clean_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a git call of ours: the user's, without what would lead git astray.

    :param settings: configuration on top of what all our calls have.
    """
    configuration = _SETTINGS | dict(settings or {})
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _INHERITED
    }
    environment |= {
        "GIT_CONFIG_COUNT": str(len(configuration)),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "LANGUAGE": "C",
    }
    for number, (name, value) in enumerate(configuration.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


@dataclass(frozen=True, slots=True)
class Git:
    """git, aimed at one place.

    `folder` is where it runs, `variables` are environment variables on top of the clean ones, and
    `settings` is configuration for these calls alone. With `at` a working tree's git directory,
    common directory and top folder are named outright, so that no `.git` file in it is believed.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def at(self, *, git_dir: Path, common_dir: Path, work_tree: Path) -> Git:
        """The same git for exactly this working tree."""
        return replace(self, folder=work_tree).having(
            GIT_DIR=str(git_dir), GIT_COMMON_DIR=str(common_dir), GIT_WORK_TREE=str(work_tree)
        )

    def with_index(self, index: Path) -> Git:
        """The same git with another index file."""
        return self.having(GIT_INDEX_FILE=str(index))

    def having(self, **variables: str) -> Git:
        """The same git with further environment variables."""
        return replace(self, variables={**self.variables, **variables})

    def configured(self, settings: Mapping[str, str]) -> Git:
        """The same git with further configuration, as `git -c` would set it."""
        return replace(self, settings={**self.settings, **settings})

    def run(
        self,
        *argv: str,
        stdin: bytes | None = None,
        accept: Collection[int] = (0,),
        timeout_s: float | None = TIME_LIMIT_S,
    ) -> Output:
        """Run `git ARGV` to its end.

        :param stdin: what git reads; nothing by default.
        :param accept: the exit statuses that are answers and not failures.
        :raises GitError: for any other status, for a signal, and when `timeout_s` has passed.
        :raises GitUnusable: git can't be started.
        """
        process = self.start(*argv, stdin=subprocess.PIPE)
        # Not by the time limit of `communicate`: with one it waits for the end of a process by
        # looking again and again, and loses a millisecond of each call.
        late = threading.Event()
        watch = threading.Timer(timeout_s or 0.0, _end_late, (process, late))
        if timeout_s is not None:
            watch.start()
        try:
            stdout, stderr = process.communicate(stdin or b"")
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watch.cancel()
        if late.is_set():
            words = f"error: no answer within {timeout_s:.0f} seconds".encode()
            raise GitError(argv, -9, words)
        return finished(argv, Output(stdout, stderr, process.returncode), accept)

    def start(
        self,
        *argv: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start `git ARGV` and let the caller read from it; `rest_of` waits for its end."""
        try:
            return subprocess.Popen(
                ["git", *argv],
                cwd=self.folder,
                env=clean_environment(self.settings) | dict(self.variables),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if error.filename not in (None, "git"):
                raise GitError(
                    argv, 128, f"fatal: {error.strerror}: {error.filename}".encode()
                ) from None
            raise GitUnusable(
                "git is not installed or not on PATH; install git 2.38 or newer"
            ) from None

    def hash_file(self, file: BinaryIO) -> str:
        """Store the bytes of an open file as a blob, without any filter, and return its id."""
        argv = ("hash-object", "-w", "--stdin", "--no-filters")
        return rest_of(argv, self.start(*argv, stdin=file.fileno())).text

    def copy_blob(self, oid: str, file: BinaryIO) -> None:
        """Write a blob's bytes into an open file, without any filter and without holding them."""
        argv = ("cat-file", "blob", oid)
        rest_of(argv, self.start(*argv, stdout=file.fileno()))

    def text(self, *argv: str, stdin: bytes | None = None) -> str:
        """What `git ARGV` says, as text without its line end."""
        return self.run(*argv, stdin=stdin).text

    def fields(self, *argv: str, stdin: bytes | None = None) -> list[bytes]:
        """What `git ARGV` says, split at its NUL bytes."""
        return self.run(*argv, stdin=stdin).lines


def _end_late(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def rest_of(
    argv: Sequence[str], process: subprocess.Popen[bytes], accept: Collection[int] = (0,)
) -> Output:
    """Wait for a git that was started, and return what it still had to say.

    :raises GitError: its exit status is none of `accept`.
    """
    stdout, stderr = process.communicate()
    return finished(argv, Output(stdout or b"", stderr, process.returncode), accept)


def let_go(process: subprocess.Popen[bytes]) -> None:
    """End a git that was started and whose answer nobody needs any more."""
    if process.returncode is None:  # else `rest_of` has waited for it
        process.kill()
        process.communicate()


def finished(argv: Collection[str], output: Output, accept: Collection[int] = (0,)) -> Output:
    """Return `output` if its status is one of `accept`.

    :raises GitError: if it is not.
    """
    if output.status not in accept:
        raise GitError(tuple(argv), output.status, output.stderr)
    return output


def ask_version(git: Git) -> Callable[[], tuple[int, ...]]:
    """Ask git for its version, beside other questions; what is returned waits for the answer.

    :raises GitUnusable: then, if it is older than `MINIMUM_VERSION`.
    """
    process = git.start("version")
    return lambda: _checked(rest_of(("version",), process).text)


def _checked(answer: str) -> tuple[int, ...]:
    number = answer.split()[2]
    numbers = tuple(int(part) for part in number.split(".")[:3] if part.isdigit())
    if numbers < MINIMUM_VERSION:
        needed = ".".join(map(str, MINIMUM_VERSION))
        raise GitUnusable(f"git {number} is too old; install git {needed} or newer")
    return numbers
