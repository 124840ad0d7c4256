"""The command `sideshoot`: finds the command that is meant, and turns every end into an exit status."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from sideshoot import __version__
from sideshoot.cli import output
from sideshoot.cli.command import Words, options_of
from sideshoot.cli.failure import Fault, Interrupted, machine_failure, show_failure, usage_line
from sideshoot.errors import SideshootError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "sideshoot"

# Where each command lives and what it does; read here so that `sideshoot --help` loads none of them.
SECTIONS: dict[str, dict[str, str]] = {
    "Doing": {
        "run": "Let an agent or any command work in a copy of the repository.",
        "review": "Have a change reviewed; nothing is written.",
        "adversarial-review": "Have a reviewer try to break the confidence in a change.",
        "transfer": "Hand a conversation from one agent to another.",
    },
    "Seeing": {
        "status": "Show what is running and what waits for a decision.",
        "wait": "Wait until jobs have finished.",
        "logs": "Show what happened in a job, live if wanted.",
        "result": "Show what came of a job.",
        "diff": "Show what a job changed.",
    },
    "Deciding": {
        "keep": "Bring a job's changes into your working tree.",
        "undo": "Take a keep back.",
        "discard": "Drop jobs and their workspaces.",
        "restore": "Bring a discarded job back.",
        "cancel": "Stop a running job.",
    },
    "Looking after": {
        "setup": "Show which agents are ready, and choose who does a task by default.",
        "config": "Show or change what is set for this repository.",
        "gc": "Show what is held on disk, and remove what is due.",
        "mcp": "Serve agents and editors that speak the Model Context Protocol.",
        "demo": "Play a whole round on a scratch repository.",
        "completion": "Print the completion script of a shell.",
    },
}

_HIDDEN = ("hook",)
"""Commands that no person calls; `--help` does not list them."""

_ELSEWHERE = {"adversarial-review": "sideshoot.cli.review:adversarial"}
"""The commands that do not have a module of their own name."""

# The words of the plugins that began this; they mean what stands beside them.
ALIASES = {
    "task": "sideshoot.cli.run:command",
    "worktree-cleanup": "sideshoot.cli.seeds:worktree_cleanup",
    "task-resume-candidate": "sideshoot.cli.seeds:task_resume_candidate",
    "last-review": "sideshoot.cli.seeds:last_review",
    "help": "sideshoot.cli.seeds:show_help",
}


class Commands(click.Group):
    """The commands, each loaded only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's shape
        return [name for section in SECTIONS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = ALIASES.get(cmd_name)
        if place is None and cmd_name in (*self.list_commands(ctx), *_HIDDEN):
            place = _ELSEWHERE.get(cmd_name, f"sideshoot.cli.{cmd_name}:command")
        if place is None:
            return None
        module, name = place.split(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = {*self.list_commands(ctx), *ALIASES, *_HIDDEN}
        if args[0] in known or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(_unknown(args[0], self.list_commands(ctx)), ctx)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's shape
        formatter: click.HelpFormatter,
    ) -> None:
        longest = max(len(name) for section in SECTIONS.values() for name in section)
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{longest}}", text) for name, text in section.items()])


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try it in ten seconds, without any account: sideshoot demo",
)
@click.option("-C", "folder", metavar="DIR", help="Act as if started in DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
@click.pass_context
def commands(ctx: click.Context, folder: str | None, as_json: bool) -> None:
    """Let any coding agent try a task in a disposable copy of your repository, and keep what you want.

    A JOB is an id or its unique beginning; left out, it is the one job that can be meant.
    """
    ctx.obj = {"folder": folder, "json": as_json}
    if ctx.invoked_subcommand is None:
        output.say(ctx.get_help())


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; errors become one line, never a trace."""
    output.prepare_streams()
    words = list(sys.argv[1:] if args is None else args)
    try:
        return _run(words)
    except output.ReaderGone:
        return 0  # who reads us has seen enough
    except SideshootError as error:
        return show_failure(error, as_json=_wants_json(words))


def _run(words: list[str]) -> int:
    try:
        return commands.main(words, prog_name=NAME, standalone_mode=False) or 0
    except (SideshootError, output.ReaderGone):
        raise
    except (KeyboardInterrupt, click.Abort):
        raise Interrupted("interrupted") from None
    except click.ClickException as error:
        raise UsageError(usage_line(error)) from None
    except OSError as error:
        raise machine_failure(error) or _reported(error, words) from None
    except Exception as error:  # noqa: BLE001 - the last resort: a report instead of a trace
        raise _reported(error, words) from None


def _reported(error: Exception, words: Sequence[str]) -> Fault:
    from sideshoot.cli.faults import report_fault  # noqa: PLC0415

    return report_fault(error, words)


def _wants_json(words: Sequence[str]) -> bool:
    with suppress(Exception):  # a command that can't even be loaded
        kinds = list(Words(commands, words))
        rest = [word for kind, word in kinds if kind == "word"]
        if ("option", "--json") in kinds:
            return True
        command = commands.get_command(click.Context(commands), rest[0]) if rest else None
        if command is not None:
            return "--json" in options_of(command, rest[1:])
    return "--json" in words


def _unknown(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - rare

    close = get_close_matches(name, known, 1)
    return f"there is no command {name!r}" + (f" (did you mean {close[0]!r}?)" if close else "")
