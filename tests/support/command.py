"""The real command, as a user runs it: a process with limits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "sideshoot")

TIME_LIMIT_S = 90.0
"""Generous: tests run side by side on a loaded machine, and a limit is there to end a hang."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def err(self) -> str:
        return self.stderr.decode(errors="replace")

    @property
    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict), self
        return found

    @property
    def last_line(self) -> str:
        """The last line of standard error: an error is one line."""
        lines = self.err.splitlines()
        return lines[-1] if lines else ""

    def ok(self) -> Result:
        """This result, if the command succeeded; else the test fails with all that it said."""
        assert self.status == 0, self
        return self

    def refused(self, *words: str, status: int = 1) -> Result:
        """This result, if the command refused with one clear line that has all of `words`."""
        assert self.status == status, self
        assert "Traceback" not in self.err, self
        said = self.err + self.out
        for word in words:
            assert word in said, (word, self)
        return self


class Command:
    """`sideshoot`, started in `cwd` unless a call says otherwise."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd

    def __call__(
        self,
        *argv: str | bytes,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        stdin: bytes | None = None,
        timeout_s: float = TIME_LIMIT_S,
        through: Sequence[str] = (),
    ) -> Result:
        """Run `sideshoot ARGV` to its end.

        :param env: variables on top of the test's; `None` removes one.
        :param through: a command that starts it, such as `prlimit` with its options.
        """
        process = self.start(*argv, cwd=cwd, env=env, stdin=stdin is not None, through=through)
        return self.finish(process, stdin=stdin, timeout_s=timeout_s)

    def start(
        self,
        *argv: str | bytes,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        stdin: bool = False,
        through: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Start `sideshoot ARGV` in a session of its own, and return at once."""
        return subprocess.Popen(
            [*through, *PROGRAM, *argv],
            cwd=cwd or self.cwd,
            env=environment(env or {}),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(
        self,
        process: subprocess.Popen[bytes],
        *,
        stdin: bytes | None = None,
        timeout_s: float = TIME_LIMIT_S,
    ) -> Result:
        """Wait for a started command; one that hangs is ended with all its processes."""
        argv = tuple(map(str, process.args))  # type: ignore[arg-type]
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            message = f"{argv} hung for {timeout_s} s: {stdout!r} {stderr!r}"
            raise AssertionError(message) from None
        return Result(argv, process.returncode, stdout, stderr)

    def run(self, script: str, *options: str, **how: Any) -> dict[str, Any]:
        """Let a shell script be the agent; it must succeed. Returns what `run --json` prints."""
        return self("run", "--json", *options, "--", "sh", "-c", script, **how).ok().json

    def json(self, *argv: str | bytes, **how: Any) -> dict[str, Any]:
        """What a command that succeeds prints with `--json`."""
        return self(*argv, "--json", **how).ok().json


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """The test's environment with `changes`; nothing in the current folder is ever imported."""
    merged = {**os.environ, "PYTHONSAFEPATH": "1", **changes}
    return {name: value for name, value in merged.items() if value is not None}
