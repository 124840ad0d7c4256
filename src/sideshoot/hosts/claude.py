"""Claude Code: the plugin, from a folder of Sideshoot's that is a marketplace of its own.

Claude Code's own commands do it (2.1.197), as they know what belongs into which of its files. They write
`settings.json` anew in a form of their own; where that says the same, the user's text is put back with
nothing but the new entries.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sideshoot.errors import CannotStart
from sideshoot.home import data_folder
from sideshoot.hosts import jsonc
from sideshoot.hosts.file import read_text, replace_text
from sideshoot.hosts.folders import folder_of
from sideshoot.hosts.form import Unreadable
from sideshoot.hosts.marketplace import Marketplace
from sideshoot.hosts.plan import Plan
from sideshoot.hosts.registration import Edit, Entry, Registration, without_empty
from sideshoot.text import printable

NAME = "sideshoot"
PLUGIN = f"{NAME}@{NAME}"
"""The plugin, and the marketplace that it is from."""

LIMIT_S = 120.0

Words: TypeAlias = tuple[str, ...]

_ADD = ("claude", "plugin", "marketplace", "add")
_FORGET = ("claude", "plugin", "marketplace", "remove", NAME)
_INSTALL = ("claude", "plugin", "install", PLUGIN)
_UNINSTALL = ("claude", "plugin", "uninstall", PLUGIN)


def settings_file() -> Path:
    """The user's settings of Claude Code."""
    return folder_of("CLAUDE_CONFIG_DIR", ".claude") / "settings.json"


def settings() -> Registration:
    """What Claude Code notes in its settings of the plugin."""
    source = {"source": {"source": "directory", "path": str(_market().folder)}}
    return Registration(
        name="claude",
        title="Claude Code",
        file=settings_file(),
        form=jsonc,
        entries=(
            Entry(("extraKnownMarketplaces", NAME), source),
            Entry(("enabledPlugins", PLUGIN), True),
        ),
        is_ours=lambda value: value in (source, True, False),
        works=lambda value: value is False,  # the user has switched it off
        what="the plugin",
    )


@dataclass(frozen=True, slots=True)
class Claude:
    """Claude Code with the plugin."""

    name: str = "claude"

    def is_installed(self) -> bool:
        """Whether its settings say so, wherever the plugin is from; it is not asked itself."""
        return settings().value_at(("enabledPlugins", PLUGIN)) is True

    def install(self) -> Plan:
        """:raises CannotStart: Claude Code is missing, or knows another marketplace of that name."""
        market = _market()
        known = _Known.ask()
        if known.market not in (None, str(market.folder)):
            raise CannotStart(
                f"Claude Code has a marketplace {NAME} from {printable(known.market)}; it was left as "
                f"it is, so `{' '.join(_FORGET)}` comes first"
            )
        commands = _commands(market, known)
        if not commands:
            return Plan(self.name, "Claude Code has the plugin already")
        edit = settings().putting()
        return Plan(
            self.name,
            "Claude Code gets the plugin",
            (edit.change,) if edit else (),
            folder=market.folder,
            commands=commands,
            act=partial(_put, market, commands, edit),
            note="a session that runs already sees it after /reload-plugins",
        )

    def uninstall(self) -> Plan:
        """:raises CannotStart: Claude Code is missing."""
        market = _market()
        known = _Known.ask()
        if known.market not in (None, str(market.folder)):
            summary = f"Claude Code has a marketplace {NAME} from elsewhere; it stays"
            return Plan(self.name, summary)
        commands = known.removal()
        if not commands and not market.folder.exists():
            return Plan(self.name, "Claude Code has no plugin of Sideshoot's")
        edit = settings().taking()
        return Plan(
            self.name,
            "Claude Code loses the plugin",
            (edit.change,) if edit else (),
            folder=market.folder,
            commands=commands,
            act=partial(_take, market, commands, edit),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What Claude Code knows of us."""

    market: str | None
    """Where the marketplace of our name comes from."""
    plugin: bool

    @classmethod
    def ask(cls) -> _Known:
        markets = _answer("claude", "plugin", "marketplace", "list", "--json")
        plugins = _answer("claude", "plugin", "list", "--json")
        market = next((it for it in markets if it.get("name") == NAME), None)
        ours = [it for it in plugins if (it.get("id"), it.get("scope")) == (PLUGIN, "user")]
        source = market and (market.get("path") or market.get("repo") or market.get("url") or "?")
        return cls(str(source) if source else None, bool(ours))

    def removal(self) -> tuple[Words, ...]:
        """The commands that make it forget us."""
        commands = [_UNINSTALL] if self.plugin else []
        return tuple(commands + ([_FORGET] if self.market else []))


def _market() -> Marketplace:
    return Marketplace(data_folder("plugins") / "claude")


def _commands(market: Marketplace, known: _Known) -> tuple[Words, ...]:
    """What is left to run. Claude Code runs a copy of its own, which it renews for a new version only."""
    renews = known.plugin and not market.is_current()
    commands: list[Words] = [_UNINSTALL] if renews else []
    if known.market is None:
        commands.append((*_ADD, str(market.folder)))
    if renews or not known.plugin:
        commands.append(_INSTALL)
    return tuple(commands)


def _put(market: Marketplace, commands: tuple[Words, ...], edit: Edit | None) -> None:
    before = read_text(settings_file())
    market.fill()
    try:
        for words in commands:
            _run(*words)
    except CannotStart:
        with suppress(CannotStart):  # what went wrong first is what the user has to know
            for words in _Known.ask().removal():
                _run(*words)
            _settle(before)
        market.remove()
        raise
    _carry_out(edit, before)


def _take(market: Marketplace, commands: tuple[Words, ...], edit: Edit | None) -> None:
    before = read_text(settings_file())
    for words in commands:
        _run(*words)
    _carry_out(edit, before)
    market.remove()


# -- the user's text


def _carry_out(edit: Edit | None, before: str | None) -> None:
    """Have the user's text with what was planned for it, where Claude Code has written no more than that."""
    now = read_text(settings_file())
    if edit is None:
        _settle(before)
    elif _says(now) == _says(edit.change.after):
        edit.after(now).carry_out()


def _settle(wanted: str | None) -> None:
    """Put `wanted` where Claude Code's text of the same meaning stands."""
    now = read_text(settings_file())
    if _says(now) == _says(wanted):
        replace_text(settings_file(), now, wanted)


def _says(text: str | None) -> Any:
    try:
        return without_empty(jsonc.load(text or ""))
    except Unreadable:
        return text


# -- its commands


def _answer(*words: str) -> list[dict[str, Any]]:
    """What it lists.

    :raises CannotStart: it is missing, or did not answer.
    """
    said = _run(*words)
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise CannotStart(f"`{' '.join(words)}` gave no list; nothing was changed")
    return [it for it in found if isinstance(it, dict)]


def _run(*words: str) -> str:
    """:raises CannotStart: it is missing, failed, or took too long."""
    program = shutil.which(words[0])
    if program is None:
        raise CannotStart("Claude Code (`claude`) is not on PATH; nothing was changed")
    line = printable(" ".join(words))
    try:
        done = subprocess.run(
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=Path.home(),  # a project has settings of its own
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise CannotStart(f"`{line}` took longer than {LIMIT_S:.0f}s") from None
    except OSError as error:
        raise CannotStart(f"can't run `{line}`: {error.strerror}") from None
    if done.returncode:
        words_of = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        why = printable(words_of[-1]) if words_of else f"exit status {done.returncode}"
        raise CannotStart(f"`{line}` failed: {why}")
    return done.stdout.decode(errors="replace")
