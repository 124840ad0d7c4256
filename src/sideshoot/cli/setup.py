"""`sideshoot setup`: what is here to work with, what is missing, and who does a task by default."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.columns import cut, terminal_columns
from sideshoot.cli.command import Command
from sideshoot.errors import CannotStart, GitUnusable, NotARepository, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.cli.command import Call
    from sideshoot.cli.place import Place
    from sideshoot.config import Config
    from sideshoot.jobs.checkup import Checkup

EXAMPLES = """\
sideshoot setup
sideshoot setup --default-agent claude --default-model opus
sideshoot setup --default-model off
sideshoot setup --install claude"""

HOSTS = ("claude", "claude-worktrees", "codex", "gemini", "cursor")

HELP = """Show which agents are installed and logged in, what is missing, and what mends it.

Each agent is asked itself. The exit status is 0 only if the one that does a task by default is ready.

With --install or --uninstall it changes files of a host, and shows what before.
"""


@click.command("setup", cls=Command, help=HELP, example=EXAMPLES)
@click.option(
    "--default-agent", metavar="NAME", help="Who does a task in this repository by default; or off."
)
@click.option("--default-model", metavar="M", help="The model of that agent; or off.")
@click.option("--default-effort", metavar="E", help="The reasoning effort of that agent; or off.")
@click.option("--enable-review-gate", is_flag=True, help="Have turns of a host reviewed here.")
@click.option("--disable-review-gate", is_flag=True, help="Have them reviewed no more.")
@click.option("--review-gate-max", metavar="N", help="So many of a session at most; or off.")
@click.option(
    "--review-gate-cooldown", metavar="MINUTES", help="None so long after another one; or off."
)
@click.option("--enable-guard", is_flag=True, help="Keep a host from starting agents bare here.")
@click.option("--disable-guard", is_flag=True, help="Let it.")
@click.option(
    "--install",
    multiple=True,
    type=click.Choice(HOSTS),
    help="Have claude, codex, gemini or cursor call Sideshoot.",
)
@click.option("--uninstall", multiple=True, type=click.Choice(HOSTS), help="Take that back.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before.")
def command(call: Call, **options: Any) -> int:
    from sideshoot.cli.checkup import (  # noqa: PLC0415 - not for --help
        DEFAULTS,
        checkup_record,
        show_checkup,
    )
    from sideshoot.cli.older import mode_of  # noqa: PLC0415 - not for --help

    wanted = {key: options[f"default_{name}"] for name, key in DEFAULTS.items()}
    given = {key: value for key, value in wanted.items() if value is not None}
    given |= mode_of(given)
    given |= {**_of_gate(options), **_of_guard(options)}
    place = _place(call, needed=bool(given))
    if place is not None and given:
        _change(place, given)
    if options["install"] or options["uninstall"]:
        from sideshoot.cli.hosts import change_hosts  # noqa: PLC0415 - not for --help

        chosen = {name: options[name] for name in ("install", "uninstall", "yes")}
        return change_hosts(call, **chosen)
    config = _config(place)
    found = _look(call, place, config)
    if call.json:
        output.say_object(checkup_record(config, found))
    else:
        show_checkup(config, found)
    return 0 if found.ready else CannotStart.exit_status


def _of_gate(options: Mapping[str, Any]) -> Mapping[str, str]:
    from sideshoot.review.gate_settings import values_of  # noqa: PLC0415 - not for --help

    return values_of(
        enable=options["enable_review_gate"],
        disable=options["disable_review_gate"],
        most=options["review_gate_max"],
        cooldown=options["review_gate_cooldown"],
    )


def _of_guard(options: Mapping[str, Any]) -> Mapping[str, str]:
    on, off = options["enable_guard"], options["disable_guard"]
    if on and off:
        raise UsageError("--enable-guard and --disable-guard contradict each other")
    return {"guard.enabled": "on" if on else "off"} if on or off else {}


def _place(call: Call, *, needed: bool) -> Place | None:
    """The repository; agents can be asked without one, too."""
    from sideshoot.cli.place import open_place  # noqa: PLC0415 - not for --help

    try:
        return open_place(call)
    except (NotARepository, GitUnusable):
        if needed:  # defaults are set for a repository
            raise
        return None


def _config(place: Place | None) -> Config:
    if place is not None:
        return place.config(lenient=True)
    from sideshoot.config import load  # noqa: PLC0415 - not for --help

    config = load(lenient=True)
    for problem in config.problems:
        output.warn(problem)
    return config


def _change(place: Place, given: Mapping[str, str]) -> None:
    """Set all of it, or where one value is wrong nothing."""
    from sideshoot.config import named  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.settings import check, set_off  # noqa: PLC0415

    config = place.config(lenient=True, quiet=True)
    for key, value in given.items():
        check(config, named(key), "default" if _unsets(key, value) else value)
    with place.store.transaction():
        for key, value in given.items():
            if _unsets(key, value):
                set_off(place.store, config, named(key))
            else:
                place.store.set_setting(key, value)


def _unsets(key: str, value: str) -> bool:
    """Whether `off` means that there is no value; for the gate and the guard it is one."""
    return value == "off" and not key.startswith(("gate.", "guard."))


def _look(call: Call, place: Place | None, config: Config) -> Checkup:
    from sideshoot.agents.ending import end_own  # noqa: PLC0415 - not for --help
    from sideshoot.jobs.checkup import check_up  # noqa: PLC0415

    cache = place.repository.state_dir / "cache" if place is not None and place.records else None
    progress = _Progress()
    try:
        return check_up(config, folder=call.folder, cache=cache, waiting=progress.tell)
    finally:
        progress.clear()
        end_own()


class _Progress:
    """Says who has not answered yet, where a person watches."""

    def __init__(self) -> None:
        self._shown = output.is_terminal(sys.stderr)

    def tell(self, names: Sequence[str]) -> None:
        self._line(cut(f"asking {', '.join(names)} …", terminal_columns() - 1))

    def clear(self) -> None:
        self._line("")

    def _line(self, text: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
