"""`sideshoot demo`: a whole round on a scratch repository, with the real commands."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.actions import program
from sideshoot.cli.command import Command
from sideshoot.errors import SideshootError
from sideshoot.git import Git
from sideshoot.git.repository import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sideshoot.cli.command import Call

HELP = """Play a whole round on a scratch repository: run, diff, keep, undo, discard.

It takes a few seconds, needs no account, and leaves nothing behind.
"""

STEP_LIMIT_S = 60.0

FILES = {
    "greet.py": 'def greet(name):\n    return "Hello, wrold!"\n\n\nprint(greet("Ada"))\n',
    "notes.txt": "Things to do\n",
}

# Stands in for a coding agent: it says what it does, and does it.
AGENT = """\
#!/bin/sh
echo "I read greet.py: the name is never used, and there is a slip of the pen."
cat > greet.py <<'END'
def greet(name):
    return f"Hello, {name}!"


print(greet("Ada"))
END
cat > test_greet.py <<'END'
from greet import greet


def test_greets_by_name():
    assert greet("Grace") == "Hello, Grace!"
END
echo "I mended greet.py and wrote a test."
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person would type, and why."""

    why: str
    words: tuple[str, ...]


ROUND = (
    Step(
        "You are in the middle of something: notes.txt is not committed.", ("git", "status", "-s")
    ),
    Step("Let an agent try something.", ("sideshoot", "run", "--", "agent", "mend the greeting")),
    Step("Nothing of yours has changed.", ("git", "status", "-s")),
    Step("See what it did.", ("sideshoot", "diff")),
    Step(
        "Keep it: it comes into your tree, staged, beside your own changes.", ("sideshoot", "keep")
    ),
    Step("", ("git", "status", "-s")),
    Step("Second thoughts? Take it back.", ("sideshoot", "undo")),
    Step("", ("git", "status", "-s")),
    Step("And drop the job.", ("sideshoot", "discard")),
)


@click.command("demo", cls=Command, help=HELP, example="sideshoot demo")
def command(call: Call) -> int:
    with tempfile.TemporaryDirectory(prefix="sideshoot-", ignore_cleanup_errors=True) as name:
        player = Player(Path(name).resolve(), silent=call.json)
        player.prepare()
        for step in ROUND:
            player.play(step)
        if call.json:
            output.say_object({"steps": player.played})
    if not call.json:
        output.say(
            "\nThat was all, and the scratch repository is gone. In a repository of yours:\n"
            "  sideshoot run -- COMMAND\n"
            "  sideshoot run fix the flaky test"
        )
    return 0


@dataclass
class Player:
    """Types the steps in a scratch repository and shows what they answer."""

    folder: Path
    silent: bool
    """Collect what the steps say, and show nothing."""
    played: list[dict[str, Any]] = field(default_factory=list)

    @property
    def top(self) -> Path:
        return self.folder / "garden"

    def prepare(self) -> None:
        """Make the repository, with a change that is not committed, and the agent."""
        self.top.mkdir()
        for name, text in FILES.items():
            (self.top / name).write_text(text)
        git = Git(self.top).having(**IDENTITY)
        git.run("init", "-q", "-b", "main")
        git.run("add", "--all")
        git.run("commit", "-q", "-m", "Greet the world")
        with (self.top / "notes.txt").open("a") as notes:
            notes.write("- water the tomatoes\n")
        agent = self.folder / "bin" / "agent"
        agent.parent.mkdir()
        agent.write_text(AGENT)
        agent.chmod(0o755)

    def play(self, step: Step) -> None:
        """Show a step and do it.

        :raises SideshootError: it did not succeed.
        """
        if not self.silent:
            _show(step)
        status, stdout, stderr = self._answer(step)
        self.played.append(
            {"command": _typed(step), "exit_status": status, "stdout": stdout, "stderr": stderr}
        )
        if status != 0:
            raise SideshootError(f"the demo stopped: `{_typed(step)}` ended with status {status}")

    def _answer(self, step: Step) -> tuple[int, str, str]:
        if step.words[0] == "git":
            answer = Git(self.top).text(*step.words[1:])
            if not self.silent:
                output.say(answer)
            return 0, answer, ""
        done = subprocess.run(
            [*program(), *step.words[1:]],
            cwd=self.top,
            env=self._environment(),
            capture_output=self.silent,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=STEP_LIMIT_S,
            check=False,
        )
        return done.returncode, done.stdout or "", done.stderr or ""

    def _environment(self) -> Mapping[str, str]:
        # So that `agent` and `sideshoot` are found by the names that are shown.
        first = [str(self.folder / "bin"), os.path.dirname(program()[0])]  # noqa: PTH120
        path = os.pathsep.join([*first, os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "GIT_PAGER": "cat"}


def _show(step: Step) -> None:
    output.say()
    if step.why:
        output.say(output.styled(f"# {step.why}", "dim"))
    output.say(output.styled(f"$ {_typed(step)}", "bold"))


def _typed(step: Step) -> str:
    return shlex.join(step.words)
